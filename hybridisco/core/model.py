"""The nouns of Hybridisco. All frozen, all deeply immutable: safe to hand to any thread.

Way of a datum: a source emits an :class:`Announcement`; the registry merges announcements into
:class:`Service` objects and publishes them as a :class:`Snapshot`, with an :class:`Event` for each change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address


class Status(StrEnum):
    """What is known of a service now. The order is the order of preference."""

    ONLINE = "online"  # it answered, and the answer is that of its kind
    BUSY = "busy"  # identified, says that it is at its limit
    STARTING = "starting"  # answers 503 or "loading"
    LOCKED = "locked"  # answers, but wants a login or a key before it says more
    STALE = "stale"  # claimed or seen, evidence is fading or not checked yet: being checked
    MISMATCH = "mismatch"  # answers as another kind than the claim says
    UNREACHABLE = "unreachable"  # claimed, but nothing answers
    UNTRUSTED = "untrusted"  # announced by somebody who cannot show that he may


#: Statuses of something that answers.
ALIVE = frozenset({Status.ONLINE, Status.BUSY, Status.STARTING, Status.LOCKED})

_RANK = {status: rank for rank, status in enumerate(Status)}


def status_rank(status: Status) -> int:
    """Return 0 for the most useful status, higher for worse ones."""
    return _RANK[status]


class Proof(StrEnum):
    """What an announcement's signature is worth by itself."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    FALSE = "false"  # it does not fit what is said, or where it is said
    OUTDATED = "outdated"  # it fits, but is too old, or comes from the future
    UNCHECKED = "unchecked"  # there is one, and no library to check it with


class Trust(StrEnum):
    """Who speaks for a service, as far as we know. The order is the order of preference."""

    PINNED = "pinned"  # the key that was seen first, or that the user accepted
    NEW = "new"  # a good signature with a key that is seen for the first time
    UNSIGNED = "unsigned"
    UNCHECKED = "unchecked"  # nobody claims to be somebody, or it cannot be checked here
    UNTRUSTED = "untrusted"


class SourceName(StrEnum):
    """Where evidence comes from. The order is the order in which sources are listed."""

    MDNS = "mdns"
    PROBE = "probe"
    MANUAL = "manual"


#: Facts about a service that have no field of their own (``gpu``, ``vram_mib``, ``queue``, ``title`` …).
Properties = tuple[tuple[str, str | int | float | bool], ...]

#: The kind of a web server that none of our fingerprints knows.
UNKNOWN_KIND = "http"


@lru_cache(maxsize=8192)
def _is_link_local(address: str) -> bool:
    return IPv6Address(address).is_link_local


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to reach a service: an address, a port, and how to speak there.

    ``address`` is a literal without a zone, or ``""`` for a name that does not resolve. ``interface`` is the
    local interface it is reached through, if known; for a link-local address it is also its zone (RFC 4007).
    ``host`` is set only when the user wrote a name: then the URL, the ``Host`` header and TLS use it.
    """

    address: str
    port: int
    tls: bool = False
    path: str = "/"
    host: str | None = None
    interface: str | None = None
    reachable: bool | None = None
    latency_ms: float | None = None

    @property
    def family(self) -> str | None:
        """``ipv4``, ``ipv6``, or None while the name has no address."""
        return None if not self.address else "ipv6" if ":" in self.address else "ipv4"

    @property
    def link_local(self) -> bool:
        """Whether the address is only meaningful together with an interface (fe80::/10)."""
        return ":" in self.address and _is_link_local(self.address)

    @property
    def zone(self) -> str | None:
        """The zone that must be dialled with the address (RFC 4007 section 11)."""
        return self.interface if self.link_local else None

    @property
    def dial(self) -> str:
        """The address as :func:`socket.getaddrinfo` takes it: with its zone where it needs one."""
        return f"{self.address}%{self.zone}" if self.zone else self.address

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash (zones as RFC 6874 writes them)."""
        scheme, standard = ("https", 443) if self.tls else ("http", 80)
        name = self.host or self.address
        if ":" in name:
            name = f"[{name}%25{self.zone}]" if self.zone else f"[{name}]"
        port = "" if self.port == standard else f":{self.port}"
        return f"{scheme}://{name}{port}{self.path.rstrip('/')}"

    @property
    def key(self) -> tuple[str, int, bool, str]:
        """What tells one endpoint from another: the name it is spoken to by is not part of it."""
        return (self.dial or f"?{self.host}", self.port, self.tls, self.path)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe learned at one endpoint.

    ``kind`` is None where something answers but does not say what it is, and where nothing answers.
    ``family`` names the framework ("gradio") when a login hides which of its kinds it is. ``cause`` says why
    nothing answered, or what is wrong with what did, as one of the keys of :mod:`hybridisco.core.problems`.
    """

    status: Status
    kind: str | None = None
    family: str | None = None
    version: str | None = None
    cause: str | None = None
    capabilities: tuple[str, ...] = ()
    properties: Properties = ()
    latency_ms: float | None = None

    @property
    def alive(self) -> bool:
        """Whether something answered."""
        return self.status in ALIVE


@dataclass(frozen=True, slots=True)
class Announcement:
    """One piece of evidence, made safe and bounded by the source that emits it.

    ``source`` and ``ref`` together name it: a later announcement of the same name takes its place.
    A ``standing`` announcement makes a service by itself. One that is not standing (the check of an endpoint
    that mDNS or the user claimed) only tells how that claim stands, and never keeps a service alive.
    ``signer`` is the public key, in base64, of who signed it, and ``proof`` what that signature is worth.
    ``live`` is a port at which its announcer can be watched; ``watched``: he is, by a connection that is held;
    ``unattended``: he is no longer there. ``recalled``: nobody says it now, it is remembered from an earlier run, and
    makes a service only once its kind was found there.
    """

    source: SourceName
    ref: str
    endpoints: tuple[Endpoint, ...]
    kind: str | None = None
    id: str | None = None
    name: str | None = None
    host: str | None = None
    version: str | None = None
    auth: str | None = None
    state: str | None = None
    capabilities: tuple[str, ...] = ()
    properties: Properties = ()
    finding: Finding | None = None
    standing: bool = True
    proof: Proof = Proof.UNSIGNED
    signer: str | None = None
    unattended: bool = False
    watched: bool = False
    live: int | None = None
    recalled: bool = False

    @property
    def key(self) -> EvidenceKey:
        """The name of this piece of evidence."""
        return (self.source, self.ref)


EvidenceKey = tuple[SourceName, str]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A source takes one of its announcements back: a goodbye, a closed port, a removed config entry."""

    source: SourceName
    ref: str

    @property
    def key(self) -> EvidenceKey:
        """The name of the evidence that is withdrawn."""
        return (self.source, self.ref)


@dataclass(frozen=True, slots=True)
class Service:
    """A backend, as all its evidence together describes it.

    Times are seconds since the epoch; of what was written down and has never answered, ``last_seen`` is ``first_seen``.
    ``endpoints`` are ordered best first; ``url`` is the first one's.
    """

    id: str
    kind: str
    name: str
    host: str
    endpoints: tuple[Endpoint, ...]
    status: Status
    problem: str | None
    verified: bool
    version: str | None
    capabilities: tuple[str, ...]
    properties: Properties
    sources: tuple[SourceName, ...]
    latency_ms: float | None
    first_seen: float
    last_seen: float
    trust: Trust = Trust.UNCHECKED

    @property
    def url(self) -> str:
        """The URL to use."""
        return self.endpoints[0].url

    @property
    def usable(self) -> bool:
        """Whether a client may send work to it now."""
        return self.status in (Status.ONLINE, Status.BUSY)

    @property
    def alive(self) -> bool:
        """Whether something answers there, if only to say that it is locked or not ready yet."""
        return self.status in ALIVE

    @property
    def nameless(self) -> bool:
        """Whether it is just some web server: none of our kinds, and nobody wrote it down. Lists leave it out."""
        return self.kind == UNKNOWN_KIND and SourceName.MANUAL not in self.sources

    @property
    def undecided(self) -> bool:
        """Whether it is nameless, but only because it is loading or wants a login: it may be a backend all the same."""
        return self.nameless and self.status in (Status.STARTING, Status.LOCKED)


class EventType(StrEnum):
    """How the registry changed."""

    ADDED = "added"
    UPDATED = "updated"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one service. For ``removed`` it holds the service as it was last."""

    type: EventType
    service: Service


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source is doing.

    ``ok``, ``off`` (not asked for), ``running`` (not complete yet), ``partial`` (a part could not be searched) or
    ``error`` (nothing could); ``detail`` says what. ``silent`` are places that accept connections but gave no answer.
    """

    state: str
    detail: str | None = None
    silent: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The registry at one moment. ``revision`` grows with every change and never repeats."""

    revision: int = 0
    services: tuple[Service, ...] = ()
    warnings: tuple[str, ...] = ()
    sources: tuple[tuple[SourceName, SourceState], ...] = ()
    complete: bool = False
    elapsed_s: float = 0.0

    def __iter__(self) -> Iterator[Service]:
        return iter(self.services)

    def __len__(self) -> int:
        return len(self.services)

    def get(self, service_id: str) -> Service | None:
        """Return the service with this id, or None."""
        return next((service for service in self.services if service.id == service_id), None)


@dataclass(frozen=True, slots=True)
class Check:
    """An effect: somebody claims a service (of ``kind``, if said) at ``endpoint``; go and see.

    ``others`` are further endpoints of it, to be looked at as well if this one is slow. ``known``: it has answered
    before, or the user wrote it down, so that it goes before what just anybody claims.
    """

    endpoint: Endpoint
    kind: str | None
    others: tuple[Endpoint, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Pin:
    """An effect: a service is what it says, and signed with a key for an id that has none yet; remember that."""

    id: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one call to the registry did: events for the faces, checks and the rest for the manager.

    ``doubts`` are the refs of announcements to be asked about: what they name no longer answers.
    """

    events: tuple[Event, ...] = ()
    checks: tuple[Check, ...] = ()
    doubts: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()


def check_ref(endpoint_key: tuple[str, int, bool, str]) -> str:
    """Return the ``ref`` of the evidence that a check of this endpoint gives."""
    dial, port, tls, path = endpoint_key
    return f"check {'https' if tls else 'http'} {dial} {port} {path}"


def address_rank(endpoint: Endpoint) -> tuple[int, ...]:
    """Order endpoints: what answers first, then loopback, then what a person can type and route.

    Between families IPv4 goes first on purpose, against RFC 6724's default table: every program that our
    users paste the URL into takes an IPv4 URL, and by no means all take a bracketed one.
    """
    reach = {True: 0, None: 1, False: 2}[endpoint.reachable]
    return (reach, *_literal_rank(endpoint.address))


@lru_cache(maxsize=8192)
def _literal_rank(address: str) -> tuple[int, ...]:
    if not address:
        return (9,)
    parsed = ip_address(address)
    return (0 if parsed.is_loopback else 2 if parsed.is_link_local else 1, parsed.version)
