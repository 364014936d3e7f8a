"""What was heard on the LAN: instances, where they are, and who said so. Pure: packets and the time come in.

Theory of operation. A PTR record names an instance, SRV and TXT describe it, A and AAAA say where its host is. Only
what leads to an instance of the types that are browsed is kept, so that nobody can fill the memory with other records.

**What goes, and what stays.** TTLs do not decide whether a service lives (:mod:`hybridisco.core.liveness`), so SRV,
TXT and addresses stay until something takes their place; only an instance whose PTR has run out is gone. Nothing is
believed at once that would take something away, since anybody can forge a packet (RFC 6762 section 21):

==========================================  ====================================================================
what is heard                               what is done
==========================================  ====================================================================
goodbye of an instance or its SRV           it is gone in :data:`GOODBYE_S` (section 10.1), unless somebody still
                                            announces it meanwhile; the source asks
the same, contradicted a moment ago         it is gone in :data:`DISPUTED_S`: a responder says the same only once a
                                            second (section 6), and is asked anew only then
==========================================  ====================================================================

Of addresses, :mod:`.hosts` says the same.

**Who may fill it.** There is room for :data:`INSTANCE_LIMIT` instances. When it is full, a newcomer takes the place of
the newest of the sender who has the most, as long as that one keeps :data:`FAIR_SHARE`. Since all addresses of a LAN
can be forged, and together would fill it with fair shares, one who has fewer than :data:`ANYBODYS` takes the place of
the newest of all who have more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hybridisco.core.packet import AAAA, PTR, SRV, TXT, A, Packet, Record
from hybridisco.sources.hosts import DOUBT_S, Hosts

INSTANCE_LIMIT = 4096
TXT_LIMIT = 2048  # octets that are kept of a TXT record; RFC 6763 section 6.2 asks for 400, or 1300 at the most
FAIR_SHARE = 64  # instances that one sender keeps when there is no room for all
ANYBODYS = 2  # instances that everybody has room for: the 253 addresses of a usual LAN then leave half of it to others
BARE_S = 6.0  # after this time what only has a name does not describe itself any more, and makes room for others
GOODBYE_S = 1.0  # RFC 6762 section 10.1: one second, in which others may rescue the record
DISPUTED_S = 3.0  # a second in which nothing is asked, another in which nothing is answered, and one for the network
_SPEAKERS = 8  # addresses of a machine that speaks by IPv4 and IPv6 on several links
_POINTER_TTL_S = (120.0, 4500.0)  # bounds: nobody makes us ask all the time, and nothing unconfirmed stays for a day
_REFRESH = 0.8  # of its life: then it is asked for again (RFC 6762 section 5.2)


@dataclass(slots=True)
class Instance:
    """One instance as it was heard. ``name`` and ``type`` end with a dot; ``server`` is its host's name as said.

    ``key`` is its name as names are compared (RFC 6762 section 16).
    """

    type: str
    name: str
    sender: str
    until: float
    ttl_s: float
    server: str | None = None
    port: int | None = None
    text: bytes | None = None
    leaving_at: float | None = None
    disputed_until: float = float("-inf")
    senders: set[str] = field(default_factory=set)
    since: float = 0.0
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.name.lower()

    @property
    def bare(self) -> bool:
        """Whether nothing but its name is known."""
        return self.server is None or self.text is None

    def leave(self, now: float) -> None:
        """Somebody says that it is going."""
        if self.leaving_at is None:
            self.leaving_at = now + (DISPUTED_S if now < self.disputed_until else GOODBYE_S)

    def stay(self, now: float) -> None:
        """Somebody announces it."""
        if self.leaving_at is not None:
            self.leaving_at, self.disputed_until = None, now + DOUBT_S


class Table:
    """The instances of some service types.

    :param types: full names, such as ``_hybridisco._tcp.local.``.
    """

    def __init__(self, types: Iterable[str]) -> None:
        self._types = {each.lower(): each for each in types}
        self._instances: dict[str, Instance] = {}
        self._hosts = Hosts()
        self._hostless = 0
        self._count: Counter[str] = Counter()
        self._leaving: set[str] = set()
        self._all_told_until = float("-inf")
        self._displaced: list[Instance] = []
        self.refused = 0
        """Instances for which there was no room."""

    def __len__(self) -> int:
        return len(self._instances)

    def __contains__(self, key: str) -> bool:
        return key in self._instances

    def __iter__(self) -> Iterator[Instance]:
        return iter(list(self._instances.values()))

    def get(self, key: str) -> Instance | None:
        """Return the instance of this name in lower case."""
        return self._instances.get(key)

    def knows(self, sender: str) -> bool:
        """Whether an instance stands that this sender has announced."""
        return sender in self._count

    def addresses(self, instance: Instance) -> list[tuple[str, str]]:
        """Return (literal, link) of the host of an instance, what nobody doubts first, then the latest heard."""
        return self._hosts.addresses((instance.server or "").lower())

    # -- hearing --------------------------------------------------------------------------------------

    def heard(self, packet: Packet, now: float) -> dict[str, bool]:
        """Take a packet in; returns the keys of the instances that it speaks of, and whether it announced each.

        An instance is not announced by a packet that only says goodbye to it, or only where its host is.
        """
        touched: dict[str, bool] = {}
        described: list[Record] = []
        addresses: list[Record] = []
        for record in packet.records:
            if record.type == PTR:
                self._pointer(record, packet, now, touched)
            elif record.type in (SRV, TXT):
                described.append(record)
            elif record.type in (A, AAAA):
                addresses.append(record)
        for record in described:
            self._described(record, packet, now, touched)
        self._hosts.heard(packet, addresses, now, touched, incomplete=self._hostless > 0)
        for record in described:
            if record.type == SRV and isinstance(record.data, tuple) and record.name.lower() in self._instances:
                self._hosts.look_for(record.data[0].lower(), packet, now)
        return {key: announced for key, announced in touched.items() if key in self._instances}

    def _pointer(self, record: Record, packet: Packet, now: float, touched: dict[str, bool]) -> None:
        service_type = self._types.get(record.name.lower())
        name = record.data
        if service_type is None or not isinstance(name, str) or not name.lower().endswith(f".{service_type.lower()}"):
            return
        known = self._instances.get(name.lower())
        if record.ttl_s == 0:
            self._leaves(known, now, touched)
            return
        ttl_s = min(max(float(record.ttl_s), _POINTER_TTL_S[0]), _POINTER_TTL_S[1])
        if known is None:
            known = self._add(Instance(service_type, name, packet.source, now + ttl_s, ttl_s, since=now), now)
            if known is None:
                return
        known.until, known.ttl_s = now + ttl_s, ttl_s
        known.stay(now)
        self._note_sender(known, packet.source)
        touched[known.key] = True

    def _described(self, record: Record, packet: Packet, now: float, touched: dict[str, bool]) -> None:
        known = self._instances.get(record.name.lower())
        if known is None:
            return
        if record.ttl_s == 0:
            if record.type == SRV:
                self._leaves(known, now, touched)
            return
        if record.type == TXT and isinstance(record.data, bytes):
            known.text = record.data[:TXT_LIMIT]
            touched.setdefault(known.key, False)
        elif record.type == SRV and isinstance(record.data, tuple):
            server, port = record.data
            self._point(known, server)
            known.server, known.port = server, port
            known.stay(now)
            self._note_sender(known, packet.source)
            touched[known.key] = True

    def _leaves(self, known: Instance | None, now: float, touched: dict[str, bool]) -> None:
        if known is not None:
            known.leave(now)
            self._leaving.add(known.key)
            touched.setdefault(known.key, False)

    # -- time -----------------------------------------------------------------------------------------

    def expire(self, now: float) -> tuple[list[Instance], set[str]]:
        """Let time pass; returns the instances that are gone, and the keys of those that have moved."""
        gone, self._displaced = self._displaced, []
        for one in [each for each in self._instances.values() if now >= (each.leaving_at or each.until)]:
            self.forget(one.key)
            gone.append(one)
        return gone, self._hosts.expire(now)

    def forget(self, key: str) -> None:
        """Drop an instance, and its host if no other is there."""
        one = self._instances.pop(key)
        for sender in one.senders:
            self._count[sender] -= 1
            if not self._count[sender]:
                del self._count[sender]
        self._leaving.discard(key)
        if one.server is None:
            self._hostless -= 1
        self._hosts.leave(one.key, (one.server or "").lower())

    # -- what to ask ----------------------------------------------------------------------------------

    def known_answers(self, now: float) -> Iterator[tuple[Instance, float]]:
        """Yield what a question may leave out, with its age: more than half of its life is left (RFC 6762 §7.1)."""
        for one in self._instances.values():
            left_s = one.until - now
            if one.leaving_at is None and left_s > one.ttl_s / 2:
                yield one, one.ttl_s - left_s

    def refresh_at(self) -> float | None:
        """Return when the first instance has to be asked for again, lest it runs out."""
        return min((one.until - (1 - _REFRESH) * one.ttl_s for one in self._instances.values()), default=None)

    def doubtful(self) -> tuple[list[str], list[str]]:
        """Return the names of the instances that are said to leave, and of the hosts that are said to be elsewhere."""
        return [one.name for one in self._those_leaving()], sorted(self._hosts.doubted)

    @property
    def in_doubt(self) -> bool:
        """Whether there is anything :meth:`doubtful`."""
        return bool(self._hosts.doubted or (self._leaving and self._those_leaving()))

    def next_goodbye(self) -> float | None:
        """Return when the next goodbye comes true; None while none was said."""
        return min((one.leaving_at for one in self._those_leaving() if one.leaving_at is not None), default=None)

    def _those_leaving(self) -> list[Instance]:
        found = [one for key in self._leaving if (one := self._instances.get(key)) and one.leaving_at is not None]
        self._leaving = {one.key for one in found}
        return found

    # -- room -----------------------------------------------------------------------------------------

    def _add(self, new: Instance, now: float) -> Instance | None:
        if len(self._instances) >= INSTANCE_LIMIT and not self._make_room(new.sender, now):
            self.refused += 1
            return None
        self._instances[new.key] = new
        self._hostless += 1
        return new

    def _make_room(self, sender: str, now: float) -> bool:
        if now >= self._all_told_until:
            bare = next((one for one in self._instances.values() if one.bare and now - one.since > BARE_S), None)
            if bare is not None:
                self._displace(bare)
                return True
            self._all_told_until = now + 1.0  # there is a flood: not a look through all of them for each packet
        largest = max(self._count, key=self._count.__getitem__)
        count = self._count[largest]
        own = self._count.get(sender, 0)
        newest_first = reversed(self._instances.values())
        if count > max(FAIR_SHARE, own + 1):
            newest = next(one for one in newest_first if largest in one.senders)
        elif own < ANYBODYS < count:
            newest = next(one for one in newest_first if max(map(self._count.__getitem__, one.senders)) > ANYBODYS)
        else:
            return False
        self._displace(newest)
        return True

    def _displace(self, one: Instance) -> None:
        self.forget(one.key)
        self._displaced.append(one)
        self.refused += 1

    def _note_sender(self, one: Instance, sender: str) -> None:
        if sender not in one.senders and len(one.senders) < _SPEAKERS:
            one.senders.add(sender)
            self._count[sender] += 1

    def _point(self, one: Instance, server: str) -> None:
        if one.server is None:
            self._hostless -= 1
        before = (one.server or "").lower()
        if before != server.lower():
            self._hosts.leave(one.key, before)
            self._hosts.enter(one.key, server.lower())


def pairs(text: bytes) -> Mapping[bytes, bytes | None]:
    """Return the keys and values of a TXT record (RFC 6763 section 6): of a key given twice the first counts."""
    found: dict[bytes, bytes | None] = {}
    at = 0
    while at < len(text):
        length = text[at]
        key, equals, value = text[at + 1 : at + 1 + length].partition(b"=")
        if key:
            found.setdefault(key, value if equals else None)
        at += 1 + length
    return found
