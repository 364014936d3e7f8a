"""What a person is shown before he accepts a key, and accepting it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridisco.core.errors import ConfigError, UsageError
from hybridisco.trust.change import KeyChange, KeyChanges, announced_id
from hybridisco.trust.store import KnownKeys, fingerprint
from tests.trust.keys import SINCE, key

PLACE = "box1~comfyui@10.77.0.2:8188"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> KnownKeys:
    """The user's keys: one of box1, and another one that was refused."""
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path))
    keys = KnownKeys(tmp_path / "known_keys")
    keys.pin("box1", key(1), "Box 1", SINCE)
    keys.note_refused("box1", key(2), "New box", SINCE + 60)
    return keys


@pytest.mark.parametrize("service_id", ["box1", PLACE])
def test_both_keys_are_shown(store: KnownKeys, service_id: str) -> None:
    (change,) = KeyChanges().of(service_id)
    assert change == KeyChange("box1", "New box", key(2), fingerprint(key(2)), SINCE + 60, fingerprint(key(1)), SINCE)


def test_there_may_be_none_known_or_a_damaged_one(store: KnownKeys) -> None:
    changes = KeyChanges()
    store.remove("box1")
    store.note_refused("box1", key(2), "New box", SINCE)
    assert changes.of("box1")[0].known is None
    store.path.write_text("box1 ed25519 damaged 2026-11-24T09:00:00Z Box 1\n")
    assert changes.of("box1")[0].known is None


def test_accepting(store: KnownKeys) -> None:
    changes = KeyChanges()
    changes.accept(PLACE)
    assert store.keys()["box1"].key == key(2)
    assert changes.of(PLACE) == ()
    with pytest.raises(UsageError, match="not refused any more"):
        changes.accept(PLACE)


def test_only_the_key_that_was_shown_is_accepted(store: KnownKeys) -> None:
    store.note_refused("box1", key(3), "Another", SINCE)
    changes = KeyChanges()
    assert [change.key for change in changes.of("box1")] == [key(2), key(3)]
    with pytest.raises(UsageError, match="2 different keys"):
        changes.accept("box1")
    with pytest.raises(UsageError, match="not refused"):
        changes.accept("box1", key(4))
    assert store.keys()["box1"].key == key(1)
    changes.accept("box1", key(3))
    assert store.keys()["box1"].key == key(3)


def test_what_is_accepted_meanwhile_is_no_change_any_more(store: KnownKeys) -> None:
    store.accept("box1", key(2), "Box 1", SINCE)
    store.note_refused("box1", key(2), "Box 1", SINCE)  # by a process that had not seen it yet
    assert KeyChanges().of("box1") == ()


def test_notes_that_cannot_be_read_are_none(store: KnownKeys) -> None:
    notes = store.path.with_name("refused_keys")
    notes.unlink()
    notes.mkdir()
    assert KeyChanges().of("box1") == ()


def test_without_a_home_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise ConfigError("no home")

    monkeypatch.setattr("hybridisco.trust.change.default_file", homeless)
    assert KeyChanges().of("box1") == ()


def test_the_announced_id_is_what_stands_before_the_place() -> None:
    assert (announced_id(PLACE), announced_id("box1")) == ("box1", "box1")
