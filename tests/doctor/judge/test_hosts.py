"""The two-sided test: which cause follows from which ways, and on whose side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hybridisco.doctor.facts import Asked, Exchange, Tcp
from hybridisco.doctor.report import Result
from tests.doctor.world import BOX, causes, check, exchange, host, link, links, nft, report

MM, MU, UM, UU = "multicast multicast", "multicast unicast", "unicast multicast", "unicast unicast"
DEAF = {"firewall": nft("ip daddr 224.0.0.251 drop", "ip6 daddr ff02::fb drop")}
MUTE = {"firewall": nft("udp dport 5353 drop", hook="output")}


@pytest.mark.parametrize(
    ("ways", "changes", "cause"),
    [
        ((MM, MU, UM, UU), {}, []),
        ((MM,), {}, []),  # an Avahi beside it took the unicast question, our zeroconf the unicast answer
        ((MU, UU), {}, ["multicast-does-not-come-in"]),
        ((MU,), {}, ["multicast-does-not-come-in"]),
        ((UM, UU), {}, ["multicast-does-not-reach-it"]),
        ((UM,), {}, ["multicast-does-not-reach-it"]),
        ((UU,), {}, ["multicast-blocked-between"]),
        ((MU, UU), DEAF, ["firewall-here"]),
        ((UM, UU), MUTE, ["firewall-here"]),
        ((UU,), DEAF, ["firewall-here"]),
    ],
)
def test_ways(ways: tuple[str, ...], changes: dict[str, Any], cause: list[str]) -> None:
    for families in (("ipv4",), ("ipv6",), ("ipv4", "ipv6")):
        box = host(addresses=tuple({"ipv4": BOX, "ipv6": "fd77::1"}[family] for family in families))
        assert causes(hosts=(box,), exchange=exchange(*ways, families=families), **changes) == cause


@pytest.mark.parametrize(
    ("box", "more", "cause"),
    [
        (host(Tcp.REFUSED), {"refused": frozenset({BOX})}, "no-sidecar"),
        (host(Tcp.ACCEPTED), {"responders": frozenset({BOX})}, "no-sidecar"),
        (host(Tcp.TIMEOUT), {"refused": frozenset({BOX})}, "no-sidecar"),
        (host(Tcp.ACCEPTED), {}, "firewall-there"),
        (host(Tcp.REFUSED), {}, "firewall-there"),
        (host(Tcp.TIMEOUT, neighbour=True), {}, "firewall-there"),
        (host(Tcp.TIMEOUT, neighbour=False), {}, "host-off"),
        (host(Tcp.TIMEOUT), {}, "host-off"),
        (host(Tcp.NO_ROUTE), {}, "host-off"),
        (host(None, addresses=(), links=()), {}, "host-unknown"),
        (host(Tcp.REFUSED, links=()), {}, "other-network"),
        (host(Tcp.UNROUTABLE, links=()), {}, "other-network"),
    ],
)
def test_silence(box: Any, more: dict[str, Any], cause: str) -> None:
    assert causes(hosts=(box,), exchange=exchange(**more)) == [cause]


def test_a_silent_host_where_mdns_may_not_leave_this_machine() -> None:
    assert causes(hosts=(host(),), **MUTE) == ["firewall-here"]


def test_no_common_family() -> None:
    six = host(Tcp.UNROUTABLE, addresses=("fd77::1",), links=())
    four_only = links(link("eth0", "10.77.0.2/24"))
    assert causes(hosts=(six,), links=four_only) == ["no-common-family"]


def test_one_family_that_works_is_enough() -> None:
    both = exchange(MM, UU, families=("ipv4",))
    six = exchange(UU, families=("ipv6",))
    merged = replace(both, asked=tuple(dict.fromkeys((*both.asked, *six.asked))), answers=(*both.answers, *six.answers))
    box = host(addresses=(BOX, "fd77::1"))
    seen = check("host:gpu-box", hosts=(box,), exchange=merged)
    assert seen.result is Result.WARNING
    assert report(hosts=(box,), exchange=merged).causes[0].likelihood == "possible"


def test_answers_over_the_other_family_prove_nothing() -> None:
    crossed = exchange(UU)
    answer = replace(crossed.answers[0], nonce="multicast ipv4", via="multicast", source="fd77::1")
    crossed = replace(crossed, answers=(*crossed.answers, answer))
    assert causes(hosts=(host(),), exchange=crossed) == ["multicast-blocked-between"]


def test_a_host_is_known_by_the_name_that_it_answers_with() -> None:
    """Its answer comes from a link-local address, of which its name knows nothing."""
    seen = exchange(UU, MM, families=("ipv6",))
    seen = replace(
        seen, answers=tuple(replace(a, source="fe80::1%eth0") if a.via == "multicast" else a for a in seen.answers)
    )
    assert causes(hosts=(host(addresses=("fd77::1",)),), exchange=seen) == []


def test_where_no_question_could_be_put_by_multicast_nothing_is_said_of_it() -> None:
    asked = tuple(
        replace(one, error="EADDRINUSE", heard_back=False) if one.how == "multicast" else one
        for one in exchange(UU).asked
    )
    seen = replace(exchange(UU), asked=asked)
    assert check("host:gpu-box", hosts=(host(),), exchange=seen).result is Result.UNKNOWN


def test_the_evidence_says_what_was_seen() -> None:
    box = host(Tcp.REFUSED, neighbour=True)
    evidence = " | ".join(check("host:gpu-box", hosts=(box,), exchange=exchange(MU, UU)).evidence)
    assert "IPv4, asked by multicast: answered by unicast; asked by unicast: answered by unicast" in evidence
    assert f"TCP to {BOX}: refused at 8188" in evidence
    assert "ARP" in evidence


def test_this_machine_is_no_other_host() -> None:
    assert check("host:gpu-box", hosts=(host(here=True),)).result is Result.SKIPPED


def test_sidecars_that_nobody_asked_for_are_told_of() -> None:
    seen = check("sidecars", exchange=exchange(MM))
    assert seen.evidence == (f"gpu-box at {BOX} hears us, and is heard",)
    assert check("sidecars", exchange=Exchange()).result is Result.SKIPPED
    ours = replace(exchange(MM).answers[0], source="10.77.0.2")
    assert check("sidecars", exchange=replace(exchange(), answers=(ours,))).result is Result.SKIPPED
    assert "--host" in check("sidecars", exchange=None).fix


def test_several_hosts_with_one_trouble_are_one_cause() -> None:
    one, two = host(Tcp.TIMEOUT), host(Tcp.TIMEOUT, name="nas", addresses=("10.77.0.9",))
    (cause,) = report(hosts=(one, two)).causes
    assert cause.about == ("gpu-box", "nas")
    assert cause.checks == ("host:gpu-box", "host:nas")
    assert Asked("", "multicast", "ipv4", "eth0").error is None
