"""Somebody on the LAN puts into names and TXT records what terminals, logs and programs must not get."""

from __future__ import annotations

import json
import unicodedata

import pytest

from tests.attacks.attacker import announcement, strings
from tests.attacks.conftest import Scene
from tests.e2e import liar
from tests.e2e.app import Json, command, listed

pytestmark = pytest.mark.netns

WITHIN_S = 10.0
#: Control, format (bidi, zero-width), surrogates, private use, unassigned, and separators of lines and paragraphs.
HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

ESCAPES = "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J\x9b31m"
BIDI = "\u202egnp.exe\u202c\u2066x\u2069\u200e\u061c"
ZERO_WIDTH = "Com\u200bfy\u200dUI\u2060\ufeff\u00ad\u3164"
LINES = "one\r\ntwo\u2028three\n\x00four"


def harmful(text: str, allowed: str = "\n") -> set[str]:
    """The characters of a text that nobody wants to get."""
    return {char for char in text if unicodedata.category(char) in HARMFUL and char not in allowed}


def strings_of(value: object) -> list[str]:
    """Every string in a document, keys included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in strings_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings_of(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("dirt", [ESCAPES, BIDI, ZERO_WIDTH, LINES], ids=["escapes", "bidi", "zero-width", "lines"])
def test_names_and_values(scene: Scene, dirt: str) -> None:
    """He puts it into every name and value that he announces, at a place that answers.

    The user sees a short clean name; tables, JSON, events and logs have nothing of it.
    """
    mallory = scene.mallory
    label, host = dirt.encode()[:63], (dirt.replace(".", "").encode()[:63], b"local")
    label = label.decode("utf-8", "ignore").encode()
    host = (host[0].decode("utf-8", "ignore").encode(), b"local")
    text = strings(id=dirt, kind=dirt, ver=dirt, path=f"/{dirt}", auth=dirt, st=dirt, cap=dirt, gpu=dirt, vram=dirt)
    lie = announcement((label, *liar.TYPE), host, [mallory.address], text)

    def foreign(services: list[Json]) -> list[Json]:
        return [one for one in services if mallory.address in str(one["endpoints"])]

    with mallory.going_on(lie, every_s=0.1):
        (one,) = scene.watch.until(lambda now: bool(foreign(now)) and foreign(now)[0]["status"] != "stale", WITHIN_S,
                                   "it was looked at") and foreign(scene.watch.services)  # fmt: skip
        document = listed(scene.studio.desk, "-vv", "--all")
        done = scene.studio.desk.run(command("list", "--all", "--ids", "-vv"), check=False)
        others = {
            name: scene.studio.desk.run(command("list", "--all", "--format", name), check=False).stdout
            for name in ("env", "urls", "prometheus")
        }
    assert one["kind"] in ("comfyui", "http", None)
    assert len(one["name"]) <= 80
    assert foreign(document["services"]), "it is in the list"
    for each in strings_of(document):
        assert not harmful(each), ascii(each)
    assert not harmful(json.dumps(document, ensure_ascii=False))
    for printed in (done.stdout, done.stderr, scene.watch.process.log, *others.values()):
        assert not harmful(printed), ascii(harmful(printed))
    scene.watch.until(scene.fine, WITHIN_S, "the victim is as it was")
    scene.check_history()


def test_a_kind_that_looks_like_another(scene: Scene) -> None:
    """He announces a place of his as the kind ``comfyui``, spelt with two Cyrillic letters.

    The user is not told that it is a ComfyUI.
    """
    scene.fake.fail("refuse")
    text = strings(kind="\u0441\u043emfyui", id="lookalike")
    lie = announcement((b"lookalike", *liar.TYPE), (b"evil", b"local"), [scene.mallory.address], text)
    with scene.mallory.going_on(lie, every_s=0.3):
        document = listed(scene.studio.desk, "--all")
    kinds = {one["name"]: one["kind"] for one in document["services"]}
    assert kinds.get("lookalike") in (None, "http")
    assert all(one["kind"].isascii() for one in document["services"] if one["kind"])
