"""Rules as data, and a packet's way through them. Pure; three-valued: yes, no, and "that is not for us to tell"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Literal

from hybridisco.doctor.facts import Family

_JUMPS = 16  # depth of jumps; the kernel allows as many
MDNS_PORT = 5353
GROUPS: Mapping[Family, str] = {"ipv4": "224.0.0.251", "ipv6": "ff02::fb"}


@dataclass(frozen=True, slots=True)
class Packet:
    """A new packet as a firewall of this machine sees it: mDNS, or the first of a TCP connection to ``port``."""

    direction: Literal["input", "output"]
    family: Family
    source: str
    destination: str
    link: str
    protocol: Literal["udp", "tcp"] = "udp"
    port: int = MDNS_PORT

    @property
    def multicast(self) -> bool:
        return ip_address(self.destination).is_multicast

    def fields(self) -> dict[str, frozenset[str]]:
        """Return what matches are about. A key that is missing is not known; one that is empty matches nothing."""
        six = self.family == "ipv6"
        incoming = self.direction == "input"
        udp = self.protocol == "udp"
        kind = "multicast" if self.multicast else "local" if incoming else "unicast"
        return {
            "protocol": frozenset({"udp", "17"} if udp else {"tcp", "6"}),
            "family": frozenset({self.family, "10" if six else "2"}),
            **({"sport": frozenset({str(MDNS_PORT), "mdns"})} if udp else {}),
            "dport": frozenset({str(self.port), "mdns"} if udp else {str(self.port)}),
            "udp-dport": frozenset({str(self.port), "mdns"} if udp else ()),
            "udp-sport": frozenset({str(MDNS_PORT), "mdns"} if udp else ()),
            "tcp-dport": frozenset(() if udp else {str(self.port)}),
            "saddr6" if six else "saddr4": frozenset({self.source}),
            "daddr6" if six else "daddr4": frozenset({self.destination}),
            "saddr4" if six else "saddr6": frozenset(),
            "daddr4" if six else "daddr6": frozenset(),
            "iif": frozenset({self.link} if incoming else ()),
            "oif": frozenset(() if incoming else {self.link}),
            "state": frozenset({"new"}),
            "status": frozenset(),  # of a packet that nobody translates or waits for
            "pkttype": frozenset({"multicast" if self.multicast else "unicast" if not incoming else "host"}),
            "daddrtype": frozenset({kind}),
            "other-protocol": frozenset(),
        }


@dataclass(frozen=True, slots=True)
class Match:
    """One condition of a rule. ``key`` is one of :meth:`Packet.fields`, or anything else for what is not understood."""

    key: str
    values: tuple[str, ...] = ()
    negated: bool = False

    def holds(self, fields: Mapping[str, frozenset[str]]) -> bool | None:
        """Return whether a packet meets it; None where that cannot be told."""
        have = fields.get(self.key)
        if have is None:
            return None
        answers = [_in(value, have) for value in self.values]
        held = True if True in answers else None if None in answers else False
        return None if held is None else held != self.negated


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of a chain. ``verdict`` is accept, drop, return, jump or goto; None where a rule decides nothing."""

    text: str
    matches: tuple[Match, ...] = ()
    verdict: str | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order. Packets of ``hook`` (input, output) begin here; ``policy`` is what becomes of the rest."""

    table: str
    name: str
    rules: tuple[Rule, ...] = ()
    hook: str | None = None
    policy: str = "accept"
    families: tuple[Family, ...] = ("ipv4", "ipv6")


@dataclass(frozen=True, slots=True)
class Drop:
    """A packet that does not get through. ``rule`` names the rule and where it stands; ``sure``: no doubt about it."""

    packet: Packet
    tool: str
    rule: str
    sure: bool


@dataclass(slots=True)
class _Way:
    """What is known of a packet on its way."""

    fields: Mapping[str, frozenset[str]]
    chains: Mapping[tuple[str, str], Chain]
    may_have_passed: bool = False
    may_be_dropped_by: str | None = None
    trail: list[str] = field(default_factory=list)


def drops(tool: str, chains: Iterable[Chain], packet: Packet) -> Drop | None:
    """Return how ``packet`` is dropped, or None if it is not, as far as can be told."""
    every = tuple(chains)
    named = {(chain.table, chain.name): chain for chain in every}
    maybe: Drop | None = None
    for chain in every:
        if chain.hook != packet.direction or packet.family not in chain.families:
            continue
        way = _Way(packet.fields(), named)
        verdict = _run(chain, way, 0)
        if verdict is None:
            verdict = chain.policy
            way.trail.append(f"{chain.table} {chain.name}: policy {chain.policy}")
        if verdict == "drop" and not way.may_have_passed:
            return Drop(packet, tool, way.trail[-1], sure=True)
        doubtful = way.trail[-1] if verdict == "drop" else way.may_be_dropped_by
        if doubtful and maybe is None:
            maybe = Drop(packet, tool, doubtful, sure=False)
    return maybe


def _run(chain: Chain, way: _Way, depth: int) -> str | None:
    """Return accept or drop, or None where the chain comes to its end without either."""
    for rule in chain.rules:
        held = _all(match.holds(way.fields) for match in rule.matches)
        if held is False or rule.verdict is None:
            continue
        place = f"{chain.table} {chain.name}: {rule.text}"
        if rule.verdict in ("jump", "goto"):
            inner = way.chains.get((chain.table, rule.target))
            verdict = _run(inner, way, depth + 1) if inner is not None and depth < _JUMPS else None
            if inner is None:  # a target that is not ours to understand (LOG, NFQUEUE, …)
                continue
            if verdict is None and rule.verdict == "jump":
                continue
            if verdict is None and held:
                return None
        else:
            verdict = rule.verdict
            way.trail.append(place)
        if held:
            return None if verdict == "return" else verdict
        if verdict == "drop":
            way.may_be_dropped_by = way.may_be_dropped_by or place
        elif verdict in ("accept", "return"):
            way.may_have_passed = True
    return None


def _all(answers: Iterator[bool | None]) -> bool | None:
    """Return the three-valued conjunction."""
    seen = list(answers)
    return False if False in seen else None if None in seen else True


def _in(value: str, have: frozenset[str]) -> bool | None:
    """Whether ``value`` (one, a range, a network, a name with a wildcard at its end) covers what a packet has."""
    if value.startswith("@"):  # a named set: its elements are not read
        return None
    return any(_covers(value, one) for one in have)


def _covers(value: str, one: str) -> bool:
    if value == one:
        return True
    low, dash, high = value.partition("-")
    if dash and low.isdigit() and high.isdigit() and one.isdigit():
        return int(low) <= int(one) <= int(high)
    try:
        if "/" in value:
            return ip_address(one.partition("%")[0]) in ip_network(value, strict=False)
        if dash and (":" in low or "." in low):
            first, last, this = (ip_address(each) for each in (low, high, one.partition("%")[0]))
            return first.packed <= this.packed <= last.packed if first.version == this.version else False
    except ValueError:
        return False
    return value[-1:] in ("*", "+") and one.startswith(value[:-1])
