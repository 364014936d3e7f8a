"""The diagnosis: order, what explains what, and the two ways to print it."""

from __future__ import annotations

import json

from hybridisco.doctor import document, text
from hybridisco.doctor.report import CauseId, Check, Likelihood, Report, Result, Suspicion, diagnose
from hybridisco.formats import Look
from tests.doctor.world import HEALTHY, causes, exchange, host, link, links, nft, report


def suspect(cause: CauseId, likelihood: Likelihood = Likelihood.LIKELY, about: str | None = None) -> Check:
    """A check that points to a cause."""
    name = f"{cause}-{likelihood}"
    return Check(name, name, Result.PROBLEM, (f"saw {name}",), "why", "fix", Suspicion(cause, likelihood, name, about))


def order(*checks: Check) -> list[CauseId]:
    """The causes that the checks amount to."""
    return [cause.id for cause in diagnose(checks)]


def test_likelihood_goes_first_and_then_what_stands_here_before_there() -> None:
    assert order(
        suspect(CauseId.HOST_OFF),
        suspect(CauseId.PORT_HELD, Likelihood.POSSIBLE),
        suspect(CauseId.NOT_HEARD_BACK),
        suspect(CauseId.SERVICE_DOWN, Likelihood.CERTAIN),
    ) == [CauseId.SERVICE_DOWN, CauseId.NOT_HEARD_BACK, CauseId.HOST_OFF, CauseId.PORT_HELD]


def test_what_is_explained_is_no_news_but_only_by_what_is_likely() -> None:
    off = suspect(CauseId.HOST_OFF)
    assert order(off, suspect(CauseId.NO_NETWORK, Likelihood.CERTAIN)) == [CauseId.NO_NETWORK]
    assert order(off, suspect(CauseId.NO_NETWORK, Likelihood.POSSIBLE)) == [CauseId.HOST_OFF, CauseId.NO_NETWORK]


def test_the_surest_check_speaks_for_a_cause() -> None:
    sure = suspect(CauseId.FIREWALL_HERE, Likelihood.CERTAIN, "gpu-box")
    (cause,) = diagnose([suspect(CauseId.FIREWALL_HERE), sure])
    assert cause.title == sure.id
    assert cause.evidence[0] == f"saw {sure.id}"
    assert len(cause.evidence) == len(cause.checks) == 2
    assert cause.about == ("gpu-box",)


def test_no_network_explains_the_rest() -> None:
    from hybridisco.doctor.facts import Tcp

    alone = links(link("lo", "127.0.0.1/8"), usable=[])
    assert causes(links=alone, hosts=(host(Tcp.UNROUTABLE, links=()),), exchange=None) == ["no-network"]


BAD = report(
    links=links(link("eth0", "10.77.0.2/24", "fe80::2/64"), link("wg0", "10.8.0.2/24"), default=(("ipv4", "wg0"),)),
    firewall=nft("ip daddr 224.0.0.251 udp dport 5353 counter packets 0 bytes 0 drop"),
    hosts=(host(),),
    exchange=exchange("multicast unicast", "unicast unicast"),
)


def test_the_text_fits_and_needs_no_colour() -> None:
    for width in (40, 80, 200):
        for look in (Look(width, unicode=False), Look(width), Look(width, color=True)):
            shown = text.render(BAD, look)
            assert ("\x1b[" in shown) is look.color
            if not look.color:
                assert max(map(len, shown.splitlines())) <= min(width, 100)
            if not look.unicode:
                assert shown.isascii()
    shown = text.render(BAD, Look(80))
    assert " 1. A firewall on this machine drops mDNS (certain)" in shown
    assert shown.index("likeliest first") < shown.index("What was looked at")
    assert " ✗ Firewall here" in shown


def test_the_text_of_a_healthy_machine_says_so() -> None:
    assert text.render(report(), Look()).startswith("Nothing wrong was found.\n")
    assert "1 of" in text.render(report(backends=None), Look()).splitlines()[0]
    assert text.render(Report((), ()), Look())


def test_several_hosts_are_named() -> None:
    two = (host(), host(name="nas", addresses=("10.77.0.9",)))
    assert "So it is with gpu-box, nas." in text.render(report(hosts=two), Look())


def test_the_document() -> None:
    read = json.loads(document.render(BAD))
    assert read["schema"] == 1
    assert [one["id"] for one in read["causes"]] == [one.id for one in BAD.causes]
    assert set(read["causes"][0]) == {"id", "title", "likelihood", "about", "evidence", "why", "fix", "checks"}
    assert set(read["checks"][0]) == {"id", "title", "result", "evidence", "why", "fix"}
    assert {one["result"] for one in read["checks"]} <= set(Result)
    known = {one["id"] for one in read["checks"]}
    assert all(set(cause["checks"]) <= known for cause in read["causes"])
    assert json.loads(document.render(report()))["causes"] == []
    assert HEALTHY.hosts == ()


def test_every_cause_says_why_and_what_to_do() -> None:
    for cause in BAD.causes:
        assert cause.why
        assert cause.fix
        assert cause.evidence
