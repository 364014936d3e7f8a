"""Where the hosts of instances are, and who may say so. Pure: packets and the time come in.

Theory of operation. Only hosts that an SRV record points at are kept. Nobody is believed at once who would take an
address away, since anybody can forge a packet (RFC 6762 section 21):

==========================================  ====================================================================
what is heard                               what is done
==========================================  ====================================================================
other addresses, by who gave the old ones   they take the place of the old ones on that link (section 10.2)
other addresses, by somebody else           both stand for :data:`DOUBT_S`; the source asks; those that nobody
                                            repeats go. A machine that has moved is found at its new address, and
                                            one whose records are forged stays where it is
==========================================  ====================================================================

Whoever was heard first on a link speaks for a host there, and so does who speaks from an address that this one gave.
Somebody else's own address becomes such a one only when nobody has repeated the old ones: else two packets, of which
the first says where the second comes from, could take a host away.

An answer that fills several packets may name the addresses before the host that has them. So while there is an instance
of which no host is known, addresses of unknown hosts are kept for :data:`STRAY_S`, and given to whoever said them.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field

from hybridisco.core.packet import AAAA, Packet, Record

ADDRESS_LIMIT = 16  # of one host
DOUBT_S = 10.0  # a living responder answers within a second, or within five if the network loses packets
FLUSH_AFTER_S = 1.0  # what came just before belongs to the same answer (RFC 6762 section 10.2)
STRAY_S = 1.0  # the packets of one answer come within milliseconds, and are looked at within some hundred
STRAY_LIMIT = 256
# Instances that are told to have moved, at once and a second: a thousand may be on one host, and each costs up to 3 ms.
_MOVES_AT_ONCE, _MOVES_A_SECOND = 256.0, 100.0


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
        if len(self.addresses) < ADDRESS_LIMIT:
            return
        foreign = next((key for key, one in self.addresses.items() if not one.vouched), None)
        if foreign is not None:
            del self.addresses[foreign]


class Hosts:
    """Hosts by their names in lower case, and the keys of the instances that are on each."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}
        self._on: defaultdict[str, set[str]] = defaultdict(set)
        self._strays: OrderedDict[tuple[str, str, str], tuple[float, list[Record]]] = OrderedDict()
        self._untold: dict[str, str] = {}
        self._moves = (_MOVES_AT_ONCE, 0.0)
        self.doubted: set[str] = set()
        """Names of the hosts that are said to be elsewhere."""

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """Return (literal, link) of a host, what nobody doubts first, then the latest heard."""
        host = self._hosts.get(name)
        if host is None:
            return []
        if len(host.addresses) == 1:
            return list(host.addresses)
        found = host.addresses.items()
        return [key for key, one in sorted(found, key=lambda e: (e[1].doubted_until is not None, -e[1].heard_at))]

    # -- who is on which ------------------------------------------------------------------------------

    def enter(self, key: str, name: str) -> None:
        """An instance is on this host."""
        self._on[name].add(key)

    def leave(self, key: str, name: str) -> None:
        """An instance is no longer on this host, which is forgotten if no other is."""
        self._untold.pop(key, None)
        on_it = self._on.get(name)
        if on_it is None:
            return
        on_it.discard(key)
        if not on_it:
            del self._on[name]
            self._hosts.pop(name, None)
            self.doubted.discard(name)

    # -- hearing --------------------------------------------------------------------------------------

    def heard(
        self, packet: Packet, records: list[Record], now: float, touched: dict[str, bool], *, incomplete: bool
    ) -> None:
        """Take in the addresses of a packet; adds the instances for which they are news to ``touched``.

        :param incomplete: there are instances of which no host is known yet.
        """
        for (name, record_type), group in _by_host(records).items():
            host = self._hosts.get(name)
            unknown = host is None or not host.addresses
            if name not in self._on:
                if incomplete:
                    self._stray(packet, name, group, now)
            elif self._placed(name, record_type, group, packet, now):
                news = self._on[name] - touched.keys()
                if news and (unknown or self._may_tell(name, news, now)):  # who was nowhere yet has not moved
                    touched.update(dict.fromkeys(news, False))

    def look_for(self, name: str, packet: Packet, now: float) -> None:
        """Give a host, if nothing is known of it, the addresses that the sender of a packet said a moment ago."""
        host = self._hosts.get(name)
        if name not in self._on or (host is not None and host.addresses):
            return
        at, records = self._strays.pop((packet.source, packet.link, name), (now, []))
        if now - at <= STRAY_S:
            for (_, record_type), group in _by_host(records).items():
                self._placed(name, record_type, group, packet, at)

    def _stray(self, packet: Packet, name: str, records: list[Record], now: float) -> None:
        key = (packet.source, packet.link, name)
        before = self._strays.pop(key, (now, []))[1]  # those of the other type
        self._strays[key] = (now, [*before, *records][-2 * ADDRESS_LIMIT :])
        if len(self._strays) > STRAY_LIMIT:
            self._strays.popitem(last=False)

    def _placed(self, name: str, record_type: int, records: list[Record], packet: Packet, now: float) -> bool:
        """Take in the addresses of one type that a packet gives a host; returns whether that was news."""
        given = {(str(r.data), packet.link): None for r in records if r.ttl_s > 0}
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host()
        known_voice = host.is_voice(packet.source, packet.link)
        if not host.addresses:
            host.addresses = {key: _Address(now, known_voice) for key in list(given)[:ADDRESS_LIMIT]}
            host.voices.setdefault(packet.link, packet.source)
            return bool(host.addresses)
        changed = False
        flush = any(r.flush for r in records if r.ttl_s > 0)
        taken_back = {(str(r.data), packet.link) for r in records if r.ttl_s == 0} - given.keys()
        for key, one in list(host.addresses.items()):
            here = key[1] == packet.link and (":" in key[0]) == (record_type == AAAA) and key not in given
            if key in taken_back or (here and flush and not known_voice):
                changed = changed or one.doubted_until is None
                one.doubted_until = one.doubted_until or now + DOUBT_S
                self.doubted.add(name)
            elif here and flush and now - one.heard_at > FLUSH_AFTER_S:
                del host.addresses[key]
                changed = True
                if host.voices.get(packet.link) == key[0]:  # who lives there now is somebody else
                    host.voices[packet.link] = packet.source
        for key in given:
            known = host.addresses.get(key)
            if known is None:
                if known_voice:
                    host.make_room()
                if len(host.addresses) < ADDRESS_LIMIT:
                    host.addresses[key] = _Address(now, known_voice)
                    changed = True
                continue
            changed = changed or known.doubted_until is not None
            host.addresses[key] = _Address(now, known.vouched or known_voice)
        host.voices.setdefault(packet.link, packet.source)
        return changed

    # -- time -----------------------------------------------------------------------------------------

    def expire(self, now: float) -> set[str]:
        """Let time pass; returns the keys of the instances that have moved."""
        while self._strays and now - next(iter(self._strays.values()))[0] > STRAY_S:
            self._strays.popitem(last=False)
        touched: set[str] = set()
        for name in list(self.doubted):
            host = self._hosts.get(name)
            left = (
                {} if host is None else {k: a for k, a in host.addresses.items() if now < (a.doubted_until or now + 1)}
            )
            if host is not None and len(left) != len(host.addresses):
                _succeed(host, left)
                touched |= self._on.get(name, set())
            if not any(one.doubted_until is not None for one in left.values()):
                self.doubted.discard(name)
        return touched | self._tell_late(now)

    # -- moves ----------------------------------------------------------------------------------------

    def _may_tell(self, name: str, news: set[str], now: float) -> bool:
        """Whether it may be told now that instances have moved; where they are too many they are noted for later."""
        if self._moves_left(now) < len(news):
            self._untold.update(dict.fromkeys(news, name))
            return False
        self._moves = (self._moves[0] - len(news), now)
        return True

    def _tell_late(self, now: float) -> set[str]:
        """Return who has moved and was not told of yet, as many as may be: first those of small hosts."""
        if not self._untold:
            return set()
        crowds = {name: len(self._on.get(name, ())) for name in set(self._untold.values())}
        due = sorted(self._untold, key=lambda key: crowds[self._untold[key]])[: int(self._moves_left(now))]
        self._moves = (self._moves[0] - len(due), now)
        for key in due:
            del self._untold[key]
        return set(due)

    def _moves_left(self, now: float) -> float:
        left, at = self._moves
        self._moves = (min(_MOVES_AT_ONCE, left + (now - at) * _MOVES_A_SECOND), now)
        return self._moves[0]


def _by_host(records: list[Record]) -> dict[tuple[str, int], list[Record]]:
    found: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        found.setdefault((record.name.lower(), record.type), []).append(record)
    return found


def _succeed(host: _Host, left: dict[tuple[str, str], _Address]) -> None:
    """Leave a host those addresses that somebody stands for; they speak for it from now on."""
    for link in {link for _, link in host.addresses.keys() - left.keys()}:
        heirs = [key for key in left if key[1] == link and left[key].doubted_until is None]
        host.voices.pop(link, None)
        for key in heirs:
            left[key].vouched = True
            host.voices[link] = key[0]
    host.addresses = left
