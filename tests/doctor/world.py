"""Facts in few words: a healthy desk at 10.77.0.2, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_interface
from typing import Any

from hybridisco.doctor.facts import (
    FAMILIES,
    Answer,
    Asked,
    Clock,
    Exchange,
    Facts,
    Family,
    Found,
    HostFacts,
    Link,
    Links,
    Machine,
    Port,
    Reply,
    RuleSet,
    Settings,
    Tcp,
)
from hybridisco.doctor.judge import judge
from hybridisco.doctor.report import Check, Report
from hybridisco.sources.interfaces import Interface

BOX = "10.77.0.1"
ETH0 = ("10.77.0.2/24", "fe80::2/64")


def link(name: str = "eth0", *addresses: str, **more: Any) -> Link:
    """An interface that is up and can multicast."""
    flags = {"up": True, "carrier": True, "multicast": True, "point_to_point": False, "ipv6_disabled": False, **more}
    number = 1 if name == "lo" else 2
    return Link(Interface(name, number, tuple(map(ip_interface, addresses))), **flags)


def links(*every: Link, usable: Iterable[str] | None = None, **more: Any) -> Links:
    """Interfaces, all of them in use unless said otherwise."""
    return Links(every, tuple(usable if usable is not None else (one.name for one in every)), **more)


LO = link("lo", "127.0.0.1/8")
LAN = links(LO, link("eth0", *ETH0), usable=["eth0"], default=(("ipv4", "eth0"),))


def asked(how: str, family: Family, **more: Any) -> Asked:
    """A question, with a nonce that tells which it is."""
    to = None if how == "multicast" else {"ipv4": BOX, "ipv6": "fd77::1"}[family]
    name = "eth0" if how == "multicast" else None
    return Asked(f"{how} {family}", how, family, name, to, **{"heard_back": how == "multicast", **more})  # type: ignore[arg-type]


def exchange(*ways: str, families: Iterable[Family] = ("ipv4",), heard: bool = True, **more: Any) -> Exchange:
    """All questions, and answers: ``exchange("multicast unicast")`` is asked by the one and answered by the other."""
    every = [asked("multicast", family, heard_back=heard) for family in FAMILIES]
    every += [asked("unicast", family) for family in families]
    answers = [
        Answer(f"{way.split()[0]} {family}", way.split()[1], {"ipv4": BOX, "ipv6": "fd77::1"}[family], "gpu-box")
        for way in ways
        for family in families
    ]
    return Exchange(tuple(every), tuple(answers), **more)


def host(outcome: Tcp | None = Tcp.REFUSED, **more: Any) -> HostFacts:
    """The GPU box, which answers to TCP with ``outcome``."""
    replies = (Reply(BOX, 8188, outcome),) if outcome else ()
    return replace(HostFacts("gpu-box", (BOX,), ((BOX, "eth0"),), replies), **more)


HEALTHY = Facts(
    settings=Settings(),
    machine=Machine("linux", "6.1.0"),
    links=LAN,
    port=Port((), ()),
    firewall=(RuleSet("nft", ""),),
    exchange=exchange(),
    hosts=(),
    backends=(),
    found=Found(),
    clock=Clock((1_790_000_000.0, 1_790_000_002.0), (5.0, 7.0), 0.0),
)


def facts(**changes: Any) -> Facts:
    """The healthy desk, but for ``changes``."""
    return replace(HEALTHY, **changes)


def report(**changes: Any) -> Report:
    """What the doctor says of it."""
    return judge(facts(**changes))


def causes(**changes: Any) -> list[str]:
    """The causes that the doctor names, in its order."""
    return [cause.id.value for cause in report(**changes).causes]


def check(name: str, **changes: Any) -> Check:
    """One check of the report."""
    return next(one for one in report(**changes).checks if one.id == name)


def nft(*rules: str, hook: str = "input", policy: str = "accept") -> tuple[RuleSet, ...]:
    """A rule set with one chain."""
    body = "\n".join(f"\t\t{rule}" for rule in rules)
    base = f"\t\ttype filter hook {hook} priority filter; policy {policy};"
    return (RuleSet("nft", f"table inet filter {{\n\tchain {hook} {{\n{base}\n{body}\n\t}}\n}}\n"),)
