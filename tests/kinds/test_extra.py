"""Kinds of other packages, of the user's file, and changed by the user."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridisco.core.errors import ConfigError
from hybridisco.core.kind import Kind
from hybridisco.core.model import Status
from hybridisco.kinds import BUILTIN, get
from hybridisco.kinds.extra import customise, from_entry_points, from_table

from .replay import Server, as_json, identify, reply

DRAWBOT = """
    title = "Drawbot"
    ports = [7777, 7778]
    capabilities = ["image"]
    start_hint = "Start it with drawbot."
    lan_hint = "Start it with drawbot --host 0.0.0.0."
    [[proofs]]
    path = "/api/about"
    status = 200
    has = ["version", "models.0.name"]
    equals = { app = "drawbot", "limits.jobs" = 4 }
    matches = { title = "^Draw" }
    [[proofs]]
    path = "/about"
    status = [200, 503]
    header = { Server = "^drawbot/" }
    body = 'Drawbot \\d'
"""
ABOUT = {"version": "1", "models": [{"name": "m"}], "app": "drawbot", "limits": {"jobs": 4}, "title": "Draw!"}


def kind_named(name: str) -> Kind:
    kind = get(BUILTIN, name)
    assert kind is not None
    return kind


# The user's own kinds


def test_a_table_becomes_a_kind() -> None:
    kind = from_table("drawbot", tomllib.loads(DRAWBOT))
    assert (kind.id, kind.title, kind.ports, kind.capabilities) == ("drawbot", "Drawbot", (7777, 7778), ("image",))
    assert kind.start_hint == "Start it with drawbot." and kind.announced
    assert [len(proof.steps) for proof in kind.proofs] == [1, 1]


def test_a_kind_of_a_table_recognises() -> None:
    kinds = (*BUILTIN, from_table("drawbot", tomllib.loads(DRAWBOT)))
    for port in (7777, 9999):
        by_json = identify(Server({"/api/about": as_json(ABOUT)}), port, kinds=kinds)
        assert by_json.finding.kind == "drawbot"
        by_text = identify(Server({"/about": reply(503, "Drawbot 3", server="Drawbot/3")}), port, kinds=kinds)
        assert by_text.finding.kind == "drawbot"


@pytest.mark.parametrize(
    "change", [{"app": "other"}, {"title": "x"}, {"models": []}, {"limits": {"jobs": True}}, {"limits": {"jobs": "4"}}]
)
def test_within_a_proof_all_must_hold(change: dict[str, object]) -> None:
    kinds = (*BUILTIN, from_table("drawbot", tomllib.loads(DRAWBOT)))
    assert identify(Server({"/api/about": as_json(ABOUT | change)}), 7777, kinds=kinds).finding.kind is None


def test_the_least_that_a_table_needs() -> None:
    kind = from_table("x-1", {"proofs": [{"path": "/x", "body": "X"}]})
    assert (kind.title, kind.ports, kind.capabilities, kind.start_hint) == ("x-1", (), (), "")


@pytest.mark.parametrize(
    ("toml", "key", "words"),
    [
        ("", "kinds.x.proofs", "1 to 8 proofs"),
        ("proofs = []", "kinds.x.proofs", "1 to 8 proofs"),
        ("proofs = 3", "kinds.x.proofs", "list"),
        ("proofs = [3]", "kinds.x.proofs[0]", "table"),
        ("prots = [1]", "kinds.x", "allowed are title, ports"),
        ("ports = [0]\nproofs = [{path='/', body='x'}]", "kinds.x.ports", "1 to 65535"),
        ("ports = ['80']\nproofs = [{path='/', body='x'}]", "kinds.x.ports", "1 to 65535"),
        ("ports = [true]\nproofs = [{path='/', body='x'}]", "kinds.x.ports", "1 to 65535"),
        ("ports = 80\nproofs = [{path='/', body='x'}]", "kinds.x.ports", "list"),
        ("title = 3\nproofs = [{path='/', body='x'}]", "kinds.x.title", "text"),
        ("start_hint = []\nproofs = [{path='/', body='x'}]", "kinds.x.start_hint", "text"),
        ("capabilities = ['pictures']\nproofs = [{path='/', body='x'}]", "kinds.x.capabilities", "image, video, audio"),
        ("capabilities = [[]]\nproofs = [{path='/', body='x'}]", "kinds.x.capabilities", "unknown capability"),
        ("capabilities = 'image'\nproofs = [{path='/', body='x'}]", "kinds.x.capabilities", "list"),
        ("proofs = [{body='x'}]", "kinds.x.proofs[0]", "needs a path"),
        ("proofs = [{path='/', body='x'}, {path='http://h/', body='x'}]", "kinds.x.proofs[1].path", "no host"),
        ("proofs = [{path='/x?y=1', body='x'}]", "kinds.x.proofs[0].path", "no query"),
        ("proofs = [{path='/../x', body='x'}]", "kinds.x.proofs[0].path", "plain path"),
        ("proofs = [{path=3, body='x'}]", "kinds.x.proofs[0].path", "plain path"),
        ("proofs = [{path='/'}]", "kinds.x.proofs[0]", "prove nothing"),
        ("proofs = [{path='/', status=200}]", "kinds.x.proofs[0]", "prove nothing"),
        ("proofs = [{path='/', status=200, equals={}}]", "kinds.x.proofs[0]", "prove nothing"),
        ("proofs = [{path='/', status='ok', body='x'}]", "kinds.x.proofs[0].status", "HTTP status"),
        ("proofs = [{path='/', status=[], body='x'}]", "kinds.x.proofs[0].status", "HTTP status"),
        ("proofs = [{path='/', status=true, body='x'}]", "kinds.x.proofs[0].status", "HTTP status"),
        ("proofs = [{path='/', status=99, body='x'}]", "kinds.x.proofs[0].status", "HTTP status"),
        ("proofs = [{path='/', body='('}]", "kinds.x.proofs[0].body", "not a regular expression"),
        ("proofs = [{path='/', body=''}]", "kinds.x.proofs[0].body", "1 to 500"),
        ("proofs = [{path='/', body='" + "x" * 501 + "'}]", "kinds.x.proofs[0].body", "1 to 500"),
        ("proofs = [{path='/', matches={a='['}}]", "kinds.x.proofs[0].matches.a", "not a regular expression"),
        ("proofs = [{path='/', matches='x'}]", "kinds.x.proofs[0].matches", "table"),
        ("proofs = [{path='/', header={server=1}}]", "kinds.x.proofs[0].header.server", "regular expression"),
        ("proofs = [{path='/', equals={a=[1]}}]", "kinds.x.proofs[0].equals.a", "a text, a number"),
        ("proofs = [{path='/', equals={a=2026-11-22}}]", "kinds.x.proofs[0].equals.a", "a text, a number"),
        ("proofs = [{path='/', has='a'}]", "kinds.x.proofs[0].has", "list"),
        ("proofs = [{path='/', has=['']}]", "kinds.x.proofs[0].has", "name of a value"),
        ("proofs = [{path='/', method='POST', body='x'}]", "kinds.x.proofs[0]", "allowed are path, status"),
    ],
)
def test_a_wrong_table_is_explained(toml: str, key: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_table("x", tomllib.loads(toml))
    assert caught.value.key == key
    assert words in str(caught.value) and str(caught.value).startswith(f"{key}: ")


@pytest.mark.parametrize("kind_id", ["", "Drawbot", "draw bot", "x" * 33, "../x"])
def test_a_wrong_id_is_explained(kind_id: str) -> None:
    with pytest.raises(ConfigError, match="lower-case letters"):
        from_table(kind_id, {"proofs": [{"path": "/", "body": "x"}]})


# Changes to a known kind


def test_without_changes_a_kind_stays_as_it_is() -> None:
    comfyui = kind_named("comfyui")
    assert customise(comfyui) is comfyui


def test_ports_replace_the_usual_ones() -> None:
    assert customise(kind_named("comfyui"), ports=[9000, 9001, 9000]).ports == (9000, 9001)


@pytest.mark.parametrize("ports", ["8188", [0], [70000], ["8188"], [True], {}, list(range(1, 70))])
def test_wrong_ports_are_explained(ports: object) -> None:
    with pytest.raises(ConfigError) as caught:
        customise(kind_named("comfyui"), ports=ports)
    assert caught.value.key == "kinds.comfyui.ports"


@pytest.mark.parametrize("health", ["health", "http://x/health", "/health?x", 3, "", "/a/../b"])
def test_a_wrong_health_endpoint_is_explained(health: object) -> None:
    with pytest.raises(ConfigError) as caught:
        customise(kind_named("comfyui"), health=health)
    assert caught.value.key == "kinds.comfyui.health"


def test_a_health_endpoint_that_is_asked_anyhow_adds_nothing() -> None:
    comfyui = kind_named("comfyui")
    assert customise(comfyui, health="/system_stats") is comfyui


def test_a_health_endpoint_is_asked_first_and_only_where_expected() -> None:
    comfyui = customise(kind_named("comfyui"), health="/alive", ports=[9000])
    kinds = tuple(comfyui if kind.id == "comfyui" else kind for kind in BUILTIN)
    server = Server({"/alive": as_json({"service": "ComfyUI"})})
    at_home = identify(server, 9000, kinds=kinds)
    assert at_home.finding.kind == "comfyui"
    assert at_home.asked[0] == "/alive"
    assert identify(server, 9999, "comfyui", kinds).finding.kind == "comfyui"
    elsewhere = identify(server, 9999, kinds=kinds)
    assert elsewhere.finding.kind is None and "/alive" not in elsewhere.asked
    nameless = Server({"/alive": as_json({"status": "ok"})})
    assert identify(nameless, 9000, kinds=kinds).finding.kind is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (as_json({"healthy_endpoints": [], "unhealthy_endpoints": [], "healthy_count": 0}), Status.ONLINE),
        (as_json({"service": "litellm", "status": "ok"}), Status.ONLINE),
        (as_json({"error": {"message": "no api key", "type": "auth_error", "code": "401"}}, 401), Status.LOCKED),
    ],
)
def test_litellms_health_page_is_asked_once_the_user_names_it(answer: object, status: Status) -> None:
    kinds = (customise(kind_named("litellm"), health="/health"),)
    result = identify(Server({"/health": answer}), 8000, kinds=kinds)  # type: ignore[dict-item]
    assert (result.finding.kind, result.finding.status) == ("litellm", status)
    assert "/health" not in identify(Server({}), 9999, kinds=kinds).asked


# Kinds of other packages

PLUGIN = """
from hybridisco.core.conditions import equals
from hybridisco.core.kind import Kind, Proof, Step
KIND = Kind(id="plug", title="Plug", ports=(7700,), proofs=(Proof((Step("/plug", (equals("plug", 1),)),)),))
CLASH = Kind(id="comfyui", title="Not ComfyUI", ports=(), proofs=())
WRONG = "a text"
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of somebody else's, installed for one test: returns the file that lists its kinds."""
    (tmp_path / "their_kinds.py").write_text(PLUGIN)
    (tmp_path / "their_wreck.py").write_text("raise OSError('their disk is full')")
    info = tmp_path / "their_kinds-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-kinds\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield info / "entry_points.txt"
    for name in ("their_kinds", "their_wreck"):
        sys.modules.pop(name, None)


def test_a_package_brings_a_kind(plugin: Path) -> None:
    plugin.write_text("[hybridisco.kinds]\nplug = their_kinds:KIND\n")
    kinds, warnings = from_entry_points(BUILTIN)
    assert [kind.id for kind in kinds] == ["plug"] and warnings == ()
    assert identify(Server({"/plug": as_json({"plug": 1})}), 7700, kinds=(*BUILTIN, *kinds)).finding.kind == "plug"


def test_without_packages_there_is_nothing() -> None:
    assert from_entry_points(BUILTIN) == ((), ())


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("their_wreck:KIND", "OSError: their disk is full"),
        ("their_kinds:MISSING", "AttributeError"),
        ("no_such_module:KIND", "ModuleNotFoundError"),
        ("their_kinds:WRONG", "it is a str, not a Kind"),
        ("their_kinds:CLASH", "there already is a kind 'comfyui'"),
    ],
)
def test_a_broken_kind_is_skipped_with_a_warning(plugin: Path, target: str, words: str) -> None:
    plugin.write_text(f"[hybridisco.kinds]\na = {target}\nb = their_kinds:KIND\n")
    kinds, warnings = from_entry_points(BUILTIN)
    assert [kind.id for kind in kinds] == ["plug"]
    assert len(warnings) == 1 and words in warnings[0]
    assert "'a'" in warnings[0] and "their-kinds" in warnings[0]


def test_the_same_kind_twice_is_taken_once(plugin: Path) -> None:
    plugin.write_text("[hybridisco.kinds]\na = their_kinds:KIND\nb = their_kinds:KIND\n")
    kinds, warnings = from_entry_points()
    assert len(kinds) == 1 and "already is a kind 'plug'" in warnings[0]
