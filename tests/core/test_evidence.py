"""What time does to a piece of evidence, and what the world says of it."""

from __future__ import annotations

import pytest

from hybridisco.core import problems, trust
from hybridisco.core.evidence import Evidence, World, latest_findings, renew
from hybridisco.core.liveness import State
from hybridisco.core.model import Announcement, Finding, Proof, Status, Trust
from tests.say import NOW, at, down, look, manual, mdns, online, orphaned, scan, signed

BOX = "10.0.0.2"


def after(*said: Announcement) -> Evidence:
    """The evidence after one announcement a second."""
    evidence: Evidence | None = None
    for second, announcement in enumerate(said):
        evidence = renew(evidence, announcement, NOW + second)
    assert evidence is not None
    return evidence


class TestClaims:
    def test_a_claim_counts_as_seen(self) -> None:
        evidence = after(mdns("a", BOX), mdns("a", BOX))
        assert (evidence.first_at, evidence.at, evidence.ok_at) == (NOW, NOW + 1, NOW + 1)
        assert evidence.life.state is State.ALIVE

    def test_what_the_user_wrote_down_does_not(self) -> None:
        evidence = after(manual("u", BOX, host="box"))
        assert (evidence.ok_at, evidence.life.state) == (None, State.NEW)

    def test_an_announcer_that_ended_was_seen_last_before(self) -> None:
        claim = mdns("a", BOX)
        evidence = after(claim, orphaned(claim), orphaned(claim))
        assert (evidence.ok_at, evidence.life.state, evidence.life.since) == (NOW, State.SUSPECT, NOW + 1)

    def test_and_is_as_before_when_it_is_heard_again(self) -> None:
        claim = mdns("a", BOX)
        evidence = after(claim, orphaned(claim), claim)
        assert (evidence.ok_at, evidence.life.state) == (NOW + 2, State.ALIVE)


class TestLooks:
    def test_failures_are_counted_from_the_first(self) -> None:
        evidence = after(*(look(at(BOX), finding) for finding in (online(), down(), down())))
        assert (evidence.ok_at, evidence.life.since, evidence.life.failures) == (NOW, NOW + 1, 2)

    def test_an_answer_ends_them(self) -> None:
        evidence = after(*(look(at(BOX), finding) for finding in (down(), down(), Finding(Status.LOCKED))))
        assert (evidence.ok_at, evidence.life.state, evidence.life.failures) == (NOW + 2, State.ALIVE, 0)

    def test_what_has_never_answered_is_not_suspected_but_dead(self) -> None:
        assert after(look(at(BOX), down()), look(at(BOX), down())).life.state is State.DEAD

    def test_what_takes_connections_and_was_known_hangs(self) -> None:
        hanging = look(at(BOX), down(problems.SILENT))
        assert after(look(at(BOX), online()), hanging).life.hangs
        assert not after(look(at(BOX), online()), hanging, look(at(BOX), down("timeout"))).life.hangs
        assert not after(look(at(BOX), online(None)), hanging).life.hangs, "nobody knows what it is"

    def test_what_it_was_is_remembered_while_it_is_silent_or_starting(self) -> None:
        assert after(*(look(at(BOX), f) for f in (online(), down(), Finding(Status.STARTING)))).kind == "comfyui"

    def test_and_forgotten_when_something_else_answers(self) -> None:
        assert after(*(look(at(BOX), f) for f in (online(), down(), online(None)))).kind is None
        assert after(*(look(at(BOX), f) for f in (online(), online("ollama")))).kind == "ollama"

    def test_the_newest_find_counts(self) -> None:
        older = renew(None, look(at(BOX), down()), NOW)
        newer = renew(None, scan(BOX, online()), NOW + 1)
        for order in ([older, newer], [newer, older]):
            assert latest_findings(order) == {at(BOX).key: newer}


class TestWorld:
    def test_what_is_reached_by_a_lost_interface_is_cut_off(self) -> None:
        world = World({}, lost=frozenset({"eth0"}))
        assert world.cut_off(at(BOX, interface="eth0"))
        assert not world.cut_off(at(BOX, interface="eth1"))

    def test_where_nobody_knows_the_interface_only_if_there_is_none_left(self) -> None:
        assert not World({}, lost=frozenset({"eth0"})).cut_off(at(BOX))
        assert World({}, lost=frozenset({"eth0"}), offline=True).cut_off(at(BOX))

    @pytest.mark.parametrize(
        ("claim", "connects"),
        [
            (mdns("a", BOX, id="X"), False),
            (signed(mdns("a", BOX, id="X"), "ours"), True),
            (signed(mdns("a", BOX, id="X"), "theirs"), False),
            (signed(mdns("a", BOX, id="X"), "ours", Proof.FALSE), False),
            (mdns("a", BOX, id="Y"), True),
        ],
    )
    def test_who_may_not_speak_for_an_id_is_not_connected_by_it(self, claim: Announcement, connects: bool) -> None:
        world = World({}, pins={"X": "ours"})
        assert (("id", claim.id, 0) in world.keys(claim)) is connects
        assert ("at", BOX, 8188) in world.keys(claim), "but it stands where it stands"

    def test_the_mode_is_heeded(self) -> None:
        stranger = signed(mdns("a", BOX, id="X"), "theirs")
        assert World({}, trust_mode=trust.PINNED_ONLY).trust(stranger) is Trust.UNTRUSTED
        assert World({}, pins={"X": "ours"}, trust_mode=trust.OFF).trust(stranger) is Trust.UNCHECKED
