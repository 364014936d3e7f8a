"""Manual entries: adding one, and finding those that speak of a service."""

from __future__ import annotations

import pytest

from blender_addon.logic.settings import StoredEntry
from blender_addon.logic.written import is_at, made_by, new_entry
from hybridisco import Endpoint, UsageError, make_config
from tests.formats.samples import GONE, service

CONFIG = make_config({"services": [{"url": "http://old-box:8188", "name": "Old"}, {"url": "http://localhost:4000"}]})


def test_a_new_entry() -> None:
    made = new_entry(CONFIG, StoredEntry(" gpu-box:8188 ", "comfyui", "  The box "))
    assert (made.url, made.kind, made.name) == ("http://gpu-box:8188", "comfyui", "The box")
    made = new_entry(CONFIG, StoredEntry("https://studio.example/comfy"))
    assert (made.url, made.kind, made.name) == ("https://studio.example/comfy", None, None)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (StoredEntry(""), "No address was given"),
        (StoredEntry("javascript:alert(1)"), "cannot be used"),
        (StoredEntry("gpu-box"), "names no port"),
        (StoredEntry("http://me:secret@gpu-box:8188"), "user name or a password"),
        (StoredEntry("gpu-box:8188", "comfy-ui"), "Did you mean comfyui?"),
        (StoredEntry("http://old-box:8188/"), "is there already, named Old"),
        (StoredEntry("gpu-box:8188", "", "old"), "already the name of"),
        (StoredEntry("http://127.0.0.1:4000/"), "is there already"),
    ],
)
def test_what_cannot_be_one_says_why(wrong: StoredEntry, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        new_entry(CONFIG, wrong)
    assert "services[" not in str(caught.value) and "secret" not in str(caught.value)


def test_which_entries_speak_of_a_service() -> None:
    here = service(endpoints=(Endpoint("127.0.0.1", 8188), Endpoint("10.0.0.5", 8188)))
    entries = [
        StoredEntry(url) for url in ("localhost:8188", "10.0.0.5:8188", "localhost:9", "nonsense://", "[::1]:8188")
    ]
    assert made_by(here, entries) == [0, 1]
    assert is_at(GONE, "http://old-box:7865") and not is_at(GONE, "https://old-box:7865")
    assert not is_at(here, "10.0.0.5:8188/base")
    mapped = service(endpoints=(Endpoint("::ffff:127.0.0.1", 8188),))
    assert is_at(mapped, "http://[::ffff:7f00:1]:8188"), "one address can be written in several ways"
