"""The known keys in a running discovery: read when they change, written in the background, never a reason to stop."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

import platformdirs
import pytest

from hybridisco.config.lock import alone
from hybridisco.core.model import Announcement, Pin, Proof
from hybridisco.core.trust import FIRST_USE, OFF, PINNED_ONLY
from hybridisco.trust import ed25519
from hybridisco.trust.ring import KeyRing
from hybridisco.trust.store import KnownKeys, default_file
from tests.say import mdns
from tests.trust.keys import SINCE, key, line


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder, not there yet."""
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def keys(state: Path) -> KnownKeys:
    """The file as another process sees it."""
    return KnownKeys(default_file())


def a_ring(mode: str = FIRST_USE) -> KeyRing:
    """A ring that has been read, as a discovery does at its start."""
    ring = KeyRing(mode)
    ring.read()
    return ring


def claim(number: int, by: int, proof: Proof = Proof.SIGNED, name: str | None = None) -> Announcement:
    """What is announced under the id of one box, with the key of another."""
    return mdns(f"box{number}", "10.77.0.1", id=f"box{number}", proof=proof, signer=key(by), name=name)


def pin(number: int) -> Pin:
    return Pin(f"box{number}", key(number), f"Box {number}")


# -- reading --------------------------------------------------------------------------------------------


def test_without_a_file_no_key_is_known(state: Path) -> None:
    ring = KeyRing(FIRST_USE)
    assert ring.read() == {}
    assert ring.read() is None, "nothing has changed"
    assert not state.exists(), "who only looks writes nothing"


def test_what_another_process_changes_is_noticed(keys: KnownKeys) -> None:
    ring = a_ring()
    keys.pin("box1", key(1), "Box 1", SINCE)
    assert ring.read() == {"box1": key(1)}
    assert ring.read() is None
    keys.accept("box1", key(2), "Box 1", SINCE)
    assert ring.read() == {"box1": key(2)}
    keys.remove("box1")
    assert ring.read() == {}


def test_the_key_of_a_damaged_line_is_nobodys(state: Path) -> None:
    """Or whoever damages a line could have any key pinned in its place."""
    state.mkdir()
    (state / "known_keys").write_text(f"box1 ed25519 {key(1)[:-3]} 2026-11-24T09:00:00Z Box 1\n{line(2)}")
    pins = KeyRing(FIRST_USE).read()
    assert pins is not None
    assert pins.keys() == {"box1", "box2"}
    assert pins["box1"] not in (key(1), "") and pins["box2"] == key(2)


def test_a_damaged_file_is_told_of_once(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    state.mkdir()
    file = state / "known_keys"
    file.write_text(f"rubbish\n{line(1)}")
    ring = a_ring()
    os.utime(file, ns=(0, 0))
    assert ring.read() == {"box1": key(1)}
    (told,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "line 1" in told.getMessage()


def test_what_cannot_be_read_any_more_still_holds(keys: KnownKeys, caplog: pytest.LogCaptureFixture) -> None:
    keys.pin("box1", key(1), "Box 1", SINCE)
    ring = a_ring()
    keys.path.unlink()
    keys.path.mkdir()
    assert ring.read() in (None, {"box1": key(1)})
    assert [record.levelname for record in caplog.records if "known_keys" in record.getMessage()] == ["WARNING"]
    ring.pin([pin(2)])
    ring.flush()
    assert keys.path.is_dir(), "an id that seems new may be a known one: nothing is pinned"


def test_a_user_without_a_home_folder_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless(*_: object, **__: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("HYBRIDISCO_STATE")
    monkeypatch.setattr(platformdirs, "user_state_path", homeless)  # stands for a user without an entry in passwd
    ring = KeyRing(FIRST_USE)
    assert ring.read() is None
    assert ring.read() is None
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    ring.pin([pin(1)])
    ring.note(claim(1, by=2))
    ring.flush()


# -- writing --------------------------------------------------------------------------------------------


def test_what_is_seen_for_the_first_time_is_remembered(keys: KnownKeys) -> None:
    ring = a_ring()
    ring.pin([pin(1), pin(2)])
    ring.flush()
    assert {known.id: (known.key, known.name) for known in keys.load().values()} == {
        "box1": (key(1), "Box 1"),
        "box2": (key(2), "Box 2"),
    }
    assert ring.read() == {"box1": key(1), "box2": key(2)}


def test_a_known_key_is_never_replaced(keys: KnownKeys) -> None:
    ring = a_ring()
    keys.pin("box1", key(9), "Box 1", SINCE)
    ring.pin([pin(1)])
    ring.flush()
    assert keys.load()["box1"].key == key(9)


@pytest.mark.parametrize("mode", [PINNED_ONLY, OFF])
def test_where_the_user_decides_nothing_is_remembered(mode: str, state: Path) -> None:
    ring = a_ring(mode)
    ring.pin([pin(1)])
    ring.flush()
    assert not (state / "known_keys").exists()


def test_writing_makes_nobody_wait(keys: KnownKeys) -> None:
    """Another process holds the lock, for as long as the test wants."""
    ring = a_ring()
    keys.path.parent.mkdir()
    with alone(keys.path):
        began = time.monotonic()
        for number in range(50):
            ring.pin([pin(number)])
        assert time.monotonic() - began < 1.0
    ring.flush()
    assert len(keys.load()) == 50


def test_nothing_is_left_running(keys: KnownKeys) -> None:
    before = threading.active_count()
    ring = a_ring()
    for number in range(5):
        ring.pin([pin(number)])
        ring.flush()
        assert threading.active_count() == before
    assert len(keys.load()) == 5


def test_a_folder_that_cannot_be_written_is_told_of_once(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    ring = a_ring()
    state.write_text("a file, where a folder should be")
    for number in range(3):
        ring.pin([pin(number)])
    ring.flush()
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


# -- what was refused -----------------------------------------------------------------------------------


def test_a_key_that_is_not_the_known_one_is_noted(keys: KnownKeys) -> None:
    keys.pin("box1", key(1), "Box 1", SINCE)
    ring = a_ring()
    for _ in range(3):
        ring.note(claim(1, by=9))
    ring.flush()
    ((refused),) = keys.refused()
    assert (refused.id, refused.key, refused.name) == ("box1", key(9), "box1")
    assert keys.load()["box1"].key == key(1)


@pytest.mark.parametrize("proof", [proof for proof in Proof if proof is not Proof.SIGNED])
def test_only_who_has_shown_a_key_is_noted(keys: KnownKeys, proof: Proof) -> None:
    """Or anybody could have somebody else's key accepted in the user's haste."""
    keys.pin("box1", key(1), "Box 1", SINCE)
    ring = a_ring()
    ring.note(claim(1, by=9, proof=proof))
    ring.flush()
    assert keys.refused() == ()


def test_the_known_key_and_a_new_box_are_nothing_to_note(keys: KnownKeys) -> None:
    keys.pin("box1", key(1), "Box 1", SINCE)
    ring = a_ring()
    ring.note(claim(1, by=1))
    ring.note(claim(2, by=2))
    ring.flush()
    assert keys.refused() == ()


def test_where_only_known_keys_count_new_ones_are_noted(keys: KnownKeys) -> None:
    ring = a_ring(PINNED_ONLY)
    ring.note(claim(2, by=2))
    ring.flush()
    assert [refused.key for refused in keys.refused()] == [key(2)]


def test_a_flood_of_wrong_keys_is_bounded(keys: KnownKeys) -> None:
    keys.pin("box1", key(1), "Box 1", SINCE)
    ring = a_ring()
    for number in range(2, 400):
        ring.note(claim(1, by=number))
    assert len(ring._noted) <= 256
    ring.flush()
    assert len(keys.refused()) <= 8


# -- checking -------------------------------------------------------------------------------------------


def test_signatures_are_checked_unless_that_is_off() -> None:
    seed = b"1" * 32
    public, signature = ed25519.public(seed), ed25519.sign(seed, b"message")
    for mode in (FIRST_USE, PINNED_ONLY):
        assert KeyRing(mode).verify(public, signature, b"message") is True
        assert KeyRing(mode).verify(public, signature, b"Message") is False
    assert KeyRing(OFF).verify(public, signature, b"Message") is None


def test_off_reads_nothing(state: Path) -> None:
    state.mkdir()
    (state / "known_keys").write_text(line(1))
    assert KeyRing(OFF).read() is None
