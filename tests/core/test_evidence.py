"""What time does to a piece of evidence."""

from __future__ import annotations

from hybridisco.core.evidence import Evidence, latest_findings, renew
from hybridisco.core.model import Announcement, Finding, Status
from tests.say import NOW, at, down, look, mdns, online, scan


def after(*said: Announcement) -> Evidence:
    """The evidence after one announcement a second."""
    evidence: Evidence | None = None
    for second, announcement in enumerate(said):
        evidence = renew(evidence, announcement, NOW + second)
    assert evidence is not None
    return evidence


def test_a_claim_counts_as_seen() -> None:
    evidence = after(mdns("a", "10.0.0.2"), mdns("a", "10.0.0.2"))
    assert (evidence.first_at, evidence.at, evidence.ok_at, evidence.failures) == (NOW, NOW + 1, NOW + 1, 0)


def test_failures_are_counted_from_the_first() -> None:
    evidence = after(*(look(at("10.0.0.2"), finding) for finding in (online(), down(), down())))
    assert (evidence.ok_at, evidence.failing_since, evidence.failures) == (NOW, NOW + 1, 2)


def test_an_answer_ends_them() -> None:
    evidence = after(*(look(at("10.0.0.2"), finding) for finding in (down(), down(), Finding(Status.LOCKED))))
    assert (evidence.ok_at, evidence.failing_since, evidence.failures) == (NOW + 2, None, 0)


def test_what_it_was_is_remembered_while_it_is_silent_or_starting() -> None:
    assert after(*(look(at("10.0.0.2"), f) for f in (online(), down(), Finding(Status.STARTING)))).kind == "comfyui"


def test_and_forgotten_when_something_else_answers() -> None:
    assert after(*(look(at("10.0.0.2"), f) for f in (online(), down(), online(None)))).kind is None
    assert after(*(look(at("10.0.0.2"), f) for f in (online(), online("ollama")))).kind == "ollama"


def test_the_newest_find_counts() -> None:
    older = renew(None, look(at("10.0.0.2"), down()), NOW)
    newer = renew(None, scan("10.0.0.2", online()), NOW + 1)
    for order in ([older, newer], [newer, older]):
        assert latest_findings(order) == {at("10.0.0.2").key: newer}
