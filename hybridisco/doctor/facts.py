"""What the gatherers saw. Frozen and without judgement; None stands for "could not be looked at"."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from hybridisco.sources.interfaces import Interface

Family = Literal["ipv4", "ipv6"]
FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. ``interface`` has its addresses; flags are None where the system does not tell."""

    interface: Interface
    up: bool | None = None
    carrier: bool | None = None
    multicast: bool | None = None
    point_to_point: bool | None = None
    ipv6_disabled: bool | None = None

    @property
    def name(self) -> str:
        return self.interface.name

    def has(self, family: Family) -> bool:
        """Whether it has an address of this family."""
        return self.address(family) is not None

    def address(self, family: Family) -> str | None:
        """Return its first address of a family, for IPv6 the link-local one if there is one."""
        version = 4 if family == "ipv4" else 6
        own = sorted(
            (a.ip for a in self.interface.addresses if a.version == version),
            key=lambda ip: ip.version == 6 and not ip.is_link_local,
        )
        return str(own[0]) if own else None


@dataclass(frozen=True, slots=True)
class Links:
    """All interfaces. ``usable`` are the names of those that discovery speaks mDNS on.

    ``default`` are the interfaces that packets for the world leave by, a family each; ``ipv6`` tells whether the
    system has it.
    """

    every: tuple[Link, ...]
    usable: tuple[str, ...]
    default: tuple[tuple[Family, str], ...] = ()
    ipv6: bool = True

    @property
    def used(self) -> tuple[Link, ...]:
        """Those that discovery uses."""
        return tuple(link for link in self.every if link.name in self.usable)

    @property
    def speaking(self) -> tuple[Link, ...]:
        """Those of them that multicast can leave by."""
        return tuple(link for link in self.used if link.up is not False and link.multicast is not False)


@dataclass(frozen=True, slots=True)
class PortHolder:
    """A program that has a socket on UDP port 5353; ``program`` is None where that is not for us to see."""

    program: str | None
    pid: int | None
    address: str


@dataclass(frozen=True, slots=True)
class Port:
    """Whether UDP port 5353 can be shared: the error of each family that cannot, and who holds it."""

    errors: tuple[tuple[Family, str], ...] = ()
    holders: tuple[PortHolder, ...] | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks at the beginning and the end of the examination, in seconds."""

    wall: tuple[float, float]
    monotonic: tuple[float, float]
    slept_s: float | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where this program runs. ``container`` says by what a container was recognised."""

    platform: str
    release: str = ""
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with a nonce of its own.

    ``how`` it was put; ``error`` is the name of the error (EPERM …) if it could not be sent; ``heard_back`` whether
    another socket of ours heard it.
    """

    nonce: str
    how: Literal["multicast", "unicast"]
    family: Family
    link: str | None
    to: str | None = None
    error: str | None = None
    heard_back: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sidecar answered. ``source`` is the address that it came from, with its zone if it has one."""

    nonce: str
    via: str
    source: str
    host: str = ""
    version: str = ""
    heard: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """All questions and all answers.

    ``refused`` are addresses that said that nobody has their port 5353; ``responders`` addresses whose port 5353
    answered another mDNS question.
    """

    asked: tuple[Asked, ...] = ()
    answers: tuple[Answer, ...] = ()
    refused: frozenset[str] = frozenset()
    responders: frozenset[str] = frozenset()


class Tcp(StrEnum):
    """What became of a TCP connection."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNROUTABLE = "unroutable"
    NO_ROUTE = "no-route"  # EHOSTUNREACH: also what macOS says without the local-network permission
    DENIED = "denied"
    FAILED = "failed"

    @property
    def up(self) -> bool:
        """Whether the other host answered at all."""
        return self in (Tcp.ACCEPTED, Tcp.REFUSED)


@dataclass(frozen=True, slots=True)
class Reply:
    """One TCP connection that was tried."""

    address: str
    port: int
    outcome: Tcp


@dataclass(frozen=True, slots=True)
class HostFacts:
    """A machine that the user named. ``links`` are the interfaces in whose subnet its addresses lie.

    ``here``: the name leads back to this machine.

    ``neighbour`` tells whether it answers on the link itself (ARP), None where that is not known.
    """

    name: str
    addresses: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    replies: tuple[Reply, ...] = ()
    neighbour: bool | None = None
    here: bool = False

    @property
    def up(self) -> bool:
        """Whether it answers to TCP."""
        return any(reply.outcome.up for reply in self.replies)


@dataclass(frozen=True, slots=True)
class LocalBackend:
    """A backend of this machine that the LAN cannot reach: it refuses at ``refused``."""

    title: str
    kind: str
    url: str
    port: int
    refused: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SilentService:
    """A service that is announced, or written down, and does not answer: how each of its endpoints does."""

    name: str
    url: str
    host: str
    sources: tuple[str, ...]
    problem: str
    replies: tuple[Reply, ...]
    start_hint: str = ""
    lan_hint: str = ""
    neighbour: bool | None = None


@dataclass(frozen=True, slots=True)
class UntrustedService:
    """A service whose announcement is not believed; ``problem`` says why, and what to do."""

    name: str
    url: str
    host: str
    problem: str


@dataclass(frozen=True, slots=True)
class Found:
    """What discovery found: how many services answer, which do not, what troubled the sources, what is not believed."""

    answering: int = 0
    silent: tuple[SilentService, ...] = ()
    troubles: tuple[str, ...] = ()
    untrusted: tuple[UntrustedService, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The words of one firewall tool. ``error`` is why it said nothing; ``text`` is then empty."""

    tool: str
    text: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's file: why it is wrong, or what in it is doubtful; the interfaces that it restricts mDNS to."""

    file: str | None = None
    error: str | None = None
    doubts: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was seen. ``failed`` are gatherers that broke, with the reason."""

    settings: Settings
    machine: Machine
    links: Links | None = None
    port: Port | None = None
    firewall: tuple[RuleSet, ...] | None = None
    exchange: Exchange | None = None
    hosts: tuple[HostFacts, ...] | None = ()
    backends: tuple[LocalBackend, ...] | None = None
    found: Found | None = None
    clock: Clock | None = None
    failed: tuple[tuple[str, str], ...] = field(default=())
