"""What the user is told: whole sentences, with the place, the likely reason and what to do."""

from __future__ import annotations

import re
from itertools import product

import pytest

from hybridisco.core import problems
from hybridisco.core.model import Endpoint, Finding, Status
from hybridisco.kinds import BUILTIN
from tests.say import at

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
