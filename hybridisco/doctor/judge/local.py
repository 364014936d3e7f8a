"""What this machine itself does to mDNS packets, by its firewall's rules and by what became of our own packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hybridisco.doctor.facts import FAMILIES, Facts, Family, Link, RuleSet
from hybridisco.doctor.firewall.model import GROUPS, Drop, Packet, drops
from hybridisco.doctor.firewall.rules import parsed

TITLES: dict[Family, str] = {"ipv4": "IPv4", "ipv6": "IPv6"}


@dataclass(frozen=True, slots=True)
class Local:
    """What is known of our side.

    ``deaf`` and ``mute`` are the families whose multicast surely does not come in, or get out, because of this machine;
    ``heard`` those whose own multicast came back.
    """

    drops: tuple[Drop, ...]
    deaf: frozenset[Family]
    mute: frozenset[Family]
    heard: frozenset[Family]
    heard_all: bool

    @staticmethod
    def of(facts: Facts) -> Local:
        """Return what the facts tell of our side."""
        asked = facts.exchange.asked if facts.exchange else ()
        multicast = [one for one in asked if one.how == "multicast"]
        found = _drops(facts.firewall or (), facts.links.speaking if facts.links else ())
        sure = [drop.packet for drop in found if drop.sure and drop.packet.multicast]
        tried = {(one.link, one.family) for one in multicast}
        heard = {(one.link, one.family) for one in multicast if one.heard_back}
        return Local(
            drops=found,
            deaf=frozenset(packet.family for packet in sure if packet.direction == "input"),
            mute=frozenset(packet.family for packet in sure if packet.direction == "output")
            | frozenset(one.family for one in multicast if one.error in ("EPERM", "EACCES")),
            heard=frozenset(family for _, family in heard),
            heard_all=heard == tried,
        )


@lru_cache(maxsize=8)
def _drops(sets: tuple[RuleSet, ...], links: tuple[Link, ...]) -> tuple[Drop, ...]:
    """Return what the rules do to the packets that mDNS needs on these interfaces."""
    packets = [packet for link in links for packet in _packets(link)]
    rules = tuple(parsed(sets))
    found = (drops(tool, chains, packet) for packet in packets for tool, chains in rules)
    return tuple(drop for drop in found if drop is not None)


def _packets(link: Link) -> Iterator[Packet]:
    for family in FAMILIES:
        if (own := link.address(family)) is None:
            continue
        other = _neighbour(link, own)
        yield Packet("input", family, other, GROUPS[family], link.name)
        yield Packet("output", family, own, GROUPS[family], link.name)
        yield Packet("input", family, other, own, link.name)


def _neighbour(link: Link, own: str) -> str:
    """Return an address that another host of this link might have."""
    network = next(each.network for each in link.interface.addresses if str(each.ip) == own)
    first = network.network_address
    return next(str(first + step) for step in (1, 2) if str(first + step) != own) if network.num_addresses > 2 else own
