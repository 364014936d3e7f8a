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
other addresses, by who gave the old ones   they take the place of the old ones on that link (section 10.2)
other addresses, by somebody else           both stand for :data:`DOUBT_S`; the source asks; those that nobody
                                            repeats go. A machine that has moved is found at its new address, and
                                            one whose records are forged stays where it is
==========================================  ====================================================================

Whoever was heard first on a link speaks for a host there, and so does who speaks from an address that this one gave.
Somebody else's own address becomes such a one only when nobody has repeated the old ones: else two packets, of which
the first says where the second comes from, could take a host away.

**Who may fill it.** There is room for :data:`INSTANCE_LIMIT` instances. When it is full, a newcomer takes the place of
the newest of the sender who has the most, as long as that one keeps :data:`FAIR_SHARE`. Since all addresses of a LAN
can be forged, and together would fill it with fair shares, one who has fewer than :data:`ANYBODYS` takes the place of
the newest of all who have more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hybridisco.core.packet import AAAA, PTR, SRV, TXT, A, Packet, Record

INSTANCE_LIMIT = 1024
FAIR_SHARE = 64  # instances that one sender keeps when there is no room for all
ANYBODYS = 2  # instances that everybody has room for: the 253 addresses of a usual LAN then leave half of it to others
BARE_S = 6.0  # after this time what only has a name does not describe itself any more, and makes room for others
ADDRESS_LIMIT = 16  # of one host
# Instances that are told to have moved, at once and a second: a thousand may be on one host, and each costs up to 3 ms.
_MOVES_AT_ONCE, _MOVES_A_SECOND = 256.0, 100.0
GOODBYE_S = 1.0  # RFC 6762 section 10.1: one second, in which others may rescue the record
DISPUTED_S = 3.0  # a second in which nothing is asked, another in which nothing is answered, and one for the network
DOUBT_S = 10.0  # a living responder answers within a second, or within five if the network loses packets
FLUSH_AFTER_S = 1.0  # what came just before belongs to the same answer (RFC 6762 section 10.2)
_SPEAKERS = 8  # addresses of a machine that speaks by IPv4 and IPv6 on several links
_POINTER_TTL_S = (120.0, 4500.0)  # bounds: nobody makes us ask all the time, and nothing unconfirmed stays for a day
_REFRESH = 0.8  # of its life: then it is asked for again (RFC 6762 section 5.2)


@dataclass(slots=True)
class _Address:
    heard_at: float
    vouched: bool  # whoever speaks from there may say where the host is
    doubted_until: float | None = None


@dataclass(slots=True)
class _Host:
    """A name that SRV records point at, its addresses by (literal, link), and who speaks for it on each link."""

    addresses: dict[tuple[str, str], _Address] = field(default_factory=dict)
    voices: dict[str, str] = field(default_factory=dict)

    def is_voice(self, source: str, link: str) -> bool:
        """Whether he may say where it is."""
        own = self.addresses.get((source, link))
        return self.voices.get(link, source) == source or (own is not None and own.vouched)

    def make_room(self) -> None:
        """Forget an address that only others gave, when there is no room for one that it has itself."""
        foreign = next((key for key, one in self.addresses.items() if not one.vouched), None)
        if len(self.addresses) >= ADDRESS_LIMIT and foreign is not None:
            del self.addresses[foreign]


@dataclass(slots=True)
class Instance:
    """One instance as it was heard. ``name`` and ``type`` end with a dot; ``server`` is its host's name as said."""

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

    @property
    def bare(self) -> bool:
        """Whether nothing but its name is known."""
        return self.server is None or self.text is None

    @property
    def key(self) -> str:
        """Its name as names are compared (RFC 6762 section 16)."""
        return self.name.lower()

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
        self._hosts: dict[str, _Host] = {}
        self._on_host: defaultdict[str, set[str]] = defaultdict(set)
        self._count: Counter[str] = Counter()
        self._doubted: set[str] = set()
        self._leaving: set[str] = set()
        self._all_told_until = float("-inf")
        self._untold: set[str] = set()
        self._moves = (_MOVES_AT_ONCE, 0.0)
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
        host = self._hosts.get((instance.server or "").lower())
        if host is None:
            return []
        found = host.addresses.items()
        return [key for key, one in sorted(found, key=lambda e: (e[1].doubted_until is not None, -e[1].heard_at))]

    # -- hearing --------------------------------------------------------------------------------------

    def heard(self, packet: Packet, now: float) -> dict[str, bool]:
        """Take a packet in; returns the keys of the instances that it speaks of, and whether it announced each.

        An instance is not announced by a packet that only says goodbye to it, or only where its host is.
        """
        touched: dict[str, bool] = {}
        by_host: dict[tuple[str, int], list[Record]] = defaultdict(list)
        for record in packet.records:
            if record.type == PTR:
                self._pointer(record, packet, now, touched)
        for record in packet.records:
            if record.type in (SRV, TXT):
                self._described(record, packet, now, touched)
            elif record.type in (A, AAAA):
                by_host[record.name.lower(), record.type].append(record)
        for (name, record_type), records in by_host.items():
            if self._on_host.get(name) and self._placed(name, record_type, records, packet, now):
                on_it = self._on_host[name]
                if self._moves_left(now) < len(on_it):
                    self._untold |= on_it
                    continue
                self._moves = (self._moves[0] - len(on_it), now)
                for key in on_it:
                    touched.setdefault(key, False)
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
            known.text = record.data
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

    def _placed(self, name: str, record_type: int, records: list[Record], packet: Packet, now: float) -> bool:
        """Take in the addresses of one type that a packet gives a host; returns whether that was news."""
        host = self._hosts.setdefault(name, _Host())
        before = {key: one.doubted_until for key, one in host.addresses.items()}
        given = {(str(r.data), packet.link) for r in records if r.ttl_s > 0}
        known_voice = host.is_voice(packet.source, packet.link)
        flush = any(r.flush for r in records if r.ttl_s > 0)
        taken_back = {(str(r.data), packet.link) for r in records if r.ttl_s == 0} - given
        for key, one in list(host.addresses.items()):
            here = key[1] == packet.link and (":" in key[0]) == (record_type == AAAA) and key not in given
            if key in taken_back or (here and flush and not known_voice):
                one.doubted_until = one.doubted_until or now + DOUBT_S
                self._doubted.add(name)
            elif here and flush and now - one.heard_at > FLUSH_AFTER_S:
                del host.addresses[key]
                if host.voices.get(packet.link) == key[0]:  # who lives there now is somebody else
                    host.voices[packet.link] = packet.source
        for key in given:
            if known_voice and key not in host.addresses:
                host.make_room()
            if known := host.addresses.get(key):
                host.addresses[key] = _Address(now, known.vouched or known_voice)
            elif len(host.addresses) < ADDRESS_LIMIT:
                host.addresses[key] = _Address(now, known_voice)
        host.voices.setdefault(packet.link, packet.source)
        return before != {key: one.doubted_until for key, one in host.addresses.items()}

    # -- time -----------------------------------------------------------------------------------------

    def expire(self, now: float) -> tuple[list[Instance], set[str]]:
        """Let time pass; returns the instances that are gone, and the keys of those that have moved."""
        gone, self._displaced = self._displaced, []
        for one in [each for each in self._instances.values() if now >= (each.leaving_at or each.until)]:
            self.forget(one.key)
            gone.append(one)
        touched: set[str] = set()
        for name in list(self._doubted):
            host = self._hosts.get(name)
            left = (
                {} if host is None else {k: a for k, a in host.addresses.items() if now < (a.doubted_until or now + 1)}
            )
            if host is not None and len(left) != len(host.addresses):
                _succeed(host, left)
                touched |= self._on_host.get(name, set())
            if not any(one.doubted_until is not None for one in left.values()):
                self._doubted.discard(name)
        return gone, touched | self._tell_of_moves(now)

    def _tell_of_moves(self, now: float) -> set[str]:
        """Return who has moved and was not told of yet, as many as may be: first those of small hosts."""
        if not self._untold:
            return set()
        room = int(self._moves_left(now))
        due = set(sorted(self._untold, key=self._size_of_host)[:room])
        self._moves = (self._moves[0] - len(due), now)
        self._untold -= due
        return due

    def _moves_left(self, now: float) -> float:
        left, at = self._moves
        self._moves = (min(_MOVES_AT_ONCE, left + (now - at) * _MOVES_A_SECOND), now)
        return self._moves[0]

    def _size_of_host(self, key: str) -> int:
        return len(self._on_host.get((self._instances[key].server or "").lower(), ()))

    def forget(self, key: str) -> None:
        """Drop an instance, and its host if no other is there."""
        one = self._instances.pop(key)
        for sender in one.senders:
            self._count[sender] -= 1
            if not self._count[sender]:
                del self._count[sender]
        self._leave_host(one)
        self._untold.discard(key)

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
        return [one.name for one in self._those_leaving()], sorted(self._doubted)

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
        return new

    def _make_room(self, sender: str, now: float) -> bool:
        if now >= self._all_told_until:
            bare = next((one for one in self._instances.values() if one.bare and now - one.since > BARE_S), None)
            if bare is not None:
                self._displace(bare)
                return True
            self._all_told_until = now + 1.0  # there is a flood: not a look through all of them for each packet
        largest, count = max(self._count.items(), key=lambda each: each[1])
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
        if (one.server or "").lower() != server.lower():
            self._leave_host(one)
            self._on_host[server.lower()].add(one.key)

    def _leave_host(self, one: Instance) -> None:
        name = (one.server or "").lower()
        self._on_host[name].discard(one.key)
        if not self._on_host[name]:
            del self._on_host[name]
            self._hosts.pop(name, None)
            self._doubted.discard(name)


def _succeed(host: _Host, left: dict[tuple[str, str], _Address]) -> None:
    """Leave a host those addresses that somebody stands for; they speak for it from now on."""
    for link in {link for _, link in host.addresses.keys() - left.keys()}:
        heirs = [key for key in left if key[1] == link and left[key].doubted_until is None]
        host.voices.pop(link, None)
        for key in heirs:
            left[key].vouched = True
            host.voices[link] = key[0]
    host.addresses = left


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
