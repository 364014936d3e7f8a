"""What the user is told: whole sentences, with the place, the likely reason and what to do."""

from __future__ import annotations

import re
from itertools import product

import pytest

from hybridisco.core import problems
from hybridisco.core.model import Announcement, Endpoint, Finding, Proof, Status
from hybridisco.kinds import BUILTIN
from tests.say import at, mdns, signed

KINDS = {kind.id: kind for kind in BUILTIN}
BOX = Endpoint("10.0.0.2", 8188, host="gpu-box")
LEFTOVER = re.compile(r"[{}]|\bNone\b|\(\)|  |\s$")


PLACES = (BOX, at("10.0.0.2"), Endpoint("", 8188, host="gpu-box"), at("fe80::2%eth0"))


@pytest.mark.parametrize("cause", [*problems._CAUSES, "some other reason", None])
def test_every_reason_is_a_sentence(cause: str | None) -> None:
    for kind, endpoint, local in product((None, *BUILTIN), PLACES, (True, False)):
        sentence = problems.explain(cause, endpoint, kind, local=local)
        assert not LEFTOVER.search(sentence), sentence
        assert sentence.endswith("."), sentence
        assert any(place in sentence for place in (endpoint.host, endpoint.address) if place), sentence


def test_nothing_listens_elsewhere() -> None:
    sentence = problems.explain(problems.REFUSED, BOX, KINDS["comfyui"], local=False)
    assert "http://gpu-box:8188 (connection refused)" in sentence
    assert "or listens for its own machine only" in sentence
    assert KINDS["comfyui"].lan_hint in sentence


def test_nothing_listens_here() -> None:
    sentence = problems.explain(problems.REFUSED, at("127.0.0.1"), KINDS["comfyui"], local=True)
    assert "its own machine only" not in sentence
    assert KINDS["comfyui"].start_hint in sentence and KINDS["comfyui"].lan_hint not in sentence


def test_a_misspelt_name() -> None:
    assert "The name gpu-bx is not known" in problems.explain(
        "unresolved", Endpoint("", 80, host="gpu-bx"), None, local=False
    )


@pytest.mark.parametrize(
    ("title", "version", "words"),
    [
        ("Ollama", "0.5", "but Ollama 0.5 answers there"),
        ("Ollama", None, "but Ollama answers there"),
        (None, "0.5", "but something that is not ComfyUI answers there"),
        ("What answers all", "1", "but What answers all 1 answers there"),
    ],
)
def test_another_program(title: str | None, version: str | None, words: str) -> None:
    assert words in problems.mismatch("ComfyUI", Finding(Status.ONLINE, "x", version=version), title, BOX)


def test_the_others_name_what_they_speak_of() -> None:
    assert "http://gpu-box:8188" in problems.locked("LiteLLM", BOX)
    assert problems.starting("LiteLLM", BOX).startswith("LiteLLM at http://gpu-box:8188 is starting")
    assert "server error on every path (502)" in problems.starting("X", BOX, problems.server_error(502))
    assert "ID answers at a:1 and at b:2" in problems.clone("ID", ["a:1", "b:2"])


UNSIGNED = mdns("x", "10.0.0.2", id="ID")
KEYED = signed(UNSIGNED, "key")


@pytest.mark.parametrize(
    ("said", "pinned", "words"),
    [
        (UNSIGNED, True, ("known id, but no longer signed", "`pip install cryptography`", "trust remove ID`")),
        (UNSIGNED, False, ("not signed, and so cannot be accepted", "`pip install cryptography`", "hybridisco add")),
        (signed(mdns("x", "10.0.0.2"), "key"), False, ("cannot be accepted",)),
        (KEYED, True, ("signed with another key than before", "`hybridisco announce status`", "trust accept ID`")),
        (KEYED, False, ("not among those that are accepted", "trust accept ID`", "trust import`")),
        (signed(UNSIGNED, "key", Proof.UNCHECKED), True, ("not the known one", "Install it here")),
        (signed(UNSIGNED, "key", Proof.UNCHECKED), False, ("not accepted here", "Install it here")),
        (signed(UNSIGNED, "key", Proof.OUTDATED), True, ("out of date", "Set both clocks")),
        (signed(UNSIGNED, "key", Proof.FALSE), False, ("does not fit",)),
    ],
)
def test_an_announcement_that_is_not_believed(said: Announcement, pinned: bool, words: tuple[str, ...]) -> None:
    sentence = problems.untrusted("ComfyUI", said, pinned=pinned)
    assert not LEFTOVER.search(sentence), sentence
    assert all(word in sentence for word in words), sentence
    acceptable = said.id is not None and said.proof in (Proof.SIGNED, Proof.UNCHECKED)
    assert ("trust accept" in sentence) == acceptable, "only a key can be accepted"


def test_what_was_not_looked_at_yet_may_be_an_entry() -> None:
    assert "announced or written down" in problems.NOT_CHECKED
