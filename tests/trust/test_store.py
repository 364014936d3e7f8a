"""The known keys on disk: nothing lost by crashes, other processes, damage or size; errors that say what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hybridisco.core.errors import ConfigError, UsageError
from hybridisco.trust.store import KEYS_LIMIT, Known, KnownKeys, default_file
from tests.trust.keys import SINCE, key, known, line

Change = Callable[[KnownKeys], object]
CHANGES: dict[str, Change] = {
    "pin": lambda keys: keys.pin("new", key(7), "New", SINCE),
    "accept": lambda keys: keys.accept("box1", key(7), "New", SINCE),
    "remove": lambda keys: keys.remove("box1"),
    "merge": lambda keys: keys.merge(line(7)),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "known_keys"


@pytest.fixture
def keys(file: Path) -> KnownKeys:
    return KnownKeys(file)


def written(file: Path, data: str | bytes) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return file


def test_they_are_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path))
    assert default_file() == tmp_path / "known_keys"


def test_without_a_file_nothing_is_known(keys: KnownKeys) -> None:
    assert keys.keys() == keys.load() == {}
    assert keys.intact
    assert keys.warnings == ()
    assert keys.refused() == ()
    assert not keys.path.parent.exists()


def test_the_first_sight_counts(keys: KnownKeys, file: Path) -> None:
    assert keys.pin("box1", key(1), "Box\x1b[31m 1\n", SINCE)
    assert not keys.pin("box1", key(2), "Other", SINCE)
    assert keys.keys()["box1"] == Known("box1", key(1), SINCE, "Box[31m 1")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("# The keys of sidecars")
    assert [path.name for path in file.parent.iterdir()] == ["known_keys"]


def test_several_are_pinned_in_one_step(keys: KnownKeys) -> None:
    keys.pin("box2", key(2), "", SINCE)
    assert keys.pin_all([known(1), known(9, of=2), known(3)]) == {"box1", "box3"}
    assert keys.keys()["box2"].key == key(2)


def test_accepting_replaces_and_removing_forgets(keys: KnownKeys, file: Path) -> None:
    written(file, "# mine\n" + line(1) + line(2))
    keys.accept("box1", key(5), "Box 1", SINCE)
    assert file.read_text() == "# mine\n" + line(1).replace(key(1), key(5)) + line(2)
    keys.accept("box3", key(3), "Box 3", SINCE)
    assert keys.keys().keys() == {"box1", "box2", "box3"}
    assert keys.remove("box1")
    assert not keys.remove("box1")
    assert file.read_text() == "# mine\n" + line(2) + line(3)


@pytest.mark.parametrize(
    ("service_id", "its_key", "hint"),
    [
        ("a b", key(1), "not the id"),
        ("", key(1), "not the id"),
        ("a", "x", "43 characters"),
        ("a", "", "43 characters"),
    ],
)
def test_what_cannot_be_written_down(keys: KnownKeys, service_id: str, its_key: str, hint: str) -> None:
    for change in (keys.pin, keys.accept, keys.note_refused):
        with pytest.raises(UsageError, match=hint):
            change(service_id, its_key, "", SINCE)
    assert not keys.path.exists()


def test_damaged_lines_stay_and_are_told_of(keys: KnownKeys, file: Path) -> None:
    damaged = "box5 ed25519 " + key(5)[:-9] + " 2026-11-24T09:00:00Z Box 5\n"
    text = b"\xef\xbb\xbf# mine\r\n" + line(1).encode() + b"\0\xff garbage\n" + damaged.encode() + b"no newline"
    written(file, text)
    assert keys.keys()["box1"] == known(1)
    assert keys.intact
    assert [warning.split(": ")[0] for warning in keys.warnings] == [f"{file}, line {number}" for number in (3, 4, 5)]
    assert not keys.pin("box5", key(6), "Box 5", SINCE), "a damaged line is no reason to believe another key"
    assert keys.keys()["box5"].damaged
    keys.pin("box2", key(2), "Box 2", SINCE)
    assert file.read_bytes() == text + b"\n" + line(2).encode()
    assert "box5" not in keys.text()
    keys.accept("box5", key(5), "Box 5", SINCE)
    assert file.read_bytes() == text.replace(damaged.encode(), line(5).encode()) + b"\n" + line(2).encode()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_crash_in_between_leaves_the_old_file(
    keys: KnownKeys, file: Path, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(file, line(1))

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, crash)
            with pytest.raises(ConfigError, match="No space left") as caught:
                change(keys)
            assert caught.value.file == file
        assert file.read_text() == line(1)
        assert [path.name for path in file.parent.iterdir()] == ["known_keys"]
    assert keys.keys() == {"box1": known(1)}


PIN = """
import sys
from pathlib import Path
from hybridisco.trust.store import KnownKeys
from tests.trust.keys import SINCE, key
keys, first = KnownKeys(Path(sys.argv[1])), int(sys.argv[2])
sys.stdin.readline()
for number in range(first, first + 10):
    assert keys.pin(f"box{number}", key(number), f"Box {number}", SINCE)
    keys.note_refused(f"box{number}", key(number + 1000), f"Box {number}", SINCE)
if keys.pin("shared", key(first), "", SINCE):
    print("first")
"""


def test_processes_that_pin_at_once_lose_nothing(keys: KnownKeys, file: Path) -> None:
    root = str(Path(__file__).parents[2])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PIN, str(file), str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
        )
        for first in (0, 100, 200, 300)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=30)[0] for one in started]
    assert [one.returncode for one in started] == [0] * 4
    assert sorted(said) == ["", "", "", "first\n"]
    assert len(keys.keys()) == 41
    assert keys.warnings == ()
    assert len(keys.refused()) == 40
    assert sorted(path.name for path in file.parent.iterdir()) == ["known_keys", "refused_keys"]


def test_a_change_by_another_process_is_noticed(keys: KnownKeys, file: Path) -> None:
    assert keys.changed()
    assert keys.keys() == {}
    assert not keys.changed()
    other = KnownKeys(file)
    other.pin("box1", key(1), "Box 1", SINCE)
    assert keys.changed()
    assert keys.keys() == {"box1": known(1)}
    assert not keys.changed()
    other.accept("box1", key(2), "Box 1", SINCE)  # the same size
    assert keys.changed()
    assert keys.keys()["box1"].key == key(2)
    keys.pin("box3", key(3), "", SINCE)
    assert keys.changed(), "a change made here is one as well: what was read before may not have had another's"
    file.unlink()
    assert keys.keys() == {}


def test_a_link_stays_one(keys: KnownKeys, file: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared.txt"
    shared.write_text(line(1))
    shared.chmod(0o644)
    file.parent.mkdir()
    file.symlink_to(shared)
    keys.pin("box2", key(2), "Box 2", SINCE)
    keys.note_refused("box2", key(3), "Box 2", SINCE)
    assert file.is_symlink()
    assert shared.read_text() == line(1) + line(2)
    assert shared.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in file.parent.iterdir()) == ["known_keys", "refused_keys"]


def test_a_link_to_nothing_makes_its_target(keys: KnownKeys, file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    file.symlink_to(tmp_path / "elsewhere" / "keys")
    assert keys.keys() == {}
    assert keys.pin("box1", key(1), "Box 1", SINCE)
    assert (tmp_path / "elsewhere" / "keys").read_text().endswith(line(1))


def _as_folder(file: Path) -> None:
    file.mkdir(parents=True)


def _as_pipe(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)


def _as_loop(file: Path) -> None:
    file.parent.mkdir()
    file.symlink_to(file)


def _below_a_file(file: Path) -> None:
    file.parent.write_text("")


@pytest.mark.parametrize("make", [_as_folder, _as_pipe, _as_loop, _below_a_file])
def test_what_is_no_file_is_an_error_but_not_for_discovery(
    keys: KnownKeys, file: Path, make: Callable[[Path], None]
) -> None:
    make(file)
    assert keys.keys() == {}
    assert not keys.intact
    (warning,) = keys.warnings
    assert warning.startswith(f"{file}: ")
    with pytest.raises(ConfigError) as caught:
        keys.load()
    assert str(caught.value) == warning
    for change in CHANGES.values():
        with pytest.raises(ConfigError):
            change(keys)


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Be a user without rights for a while: root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_a_folder_that_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "state"
        file = written(folder / "known_keys", line(1))
        file.chmod(0o644)
        Path(name).chmod(0o755)
        folder.chmod(0o555)
        keys = KnownKeys(file)
        with _as_nobody():
            assert keys.keys() == {"box1": known(1)}
            for change in (*CHANGES.values(), lambda keys: keys.note_refused("box1", key(2), "", SINCE)):
                with pytest.raises(ConfigError, match=r"Permission denied.*HYBRIDISCO_STATE"):
                    change(keys)
        file.chmod(0o000)
        with _as_nobody():
            assert keys.keys() == {"box1": known(1)}, "what was read before still holds"
            assert not keys.intact
            assert "cannot be read (Permission denied)" in keys.warnings[0]
            with pytest.raises(ConfigError, match="Permission denied"):
                keys.load()
        file.chmod(0o644)
        with _as_nobody():
            assert keys.keys() == {"box1": known(1)}
        assert keys.intact
        assert keys.warnings == ()
        folder.chmod(0o755)


def test_more_keys_than_are_allowed(keys: KnownKeys, file: Path) -> None:
    text = "".join(line(number) for number in range(5000))
    written(file, text)
    assert len(keys.keys()) == 5000, "who is in the file is known, however many there are"
    assert keys.intact
    (warning,) = keys.warnings
    assert f"5000 keys, and {KEYS_LIMIT} are allowed" in warning
    for change in (CHANGES["pin"], lambda keys: keys.merge(line(7000)), lambda keys: keys.pin_all([known(7000)])):
        with pytest.raises(ConfigError, match="trust remove"):
            change(keys)
    assert file.read_text() == text
    keys.accept("box1", key(9), "Box 1", SINCE)
    assert keys.remove("box2")
    assert len(keys.keys()) == 4999


def test_as_many_as_fit_are_pinned(keys: KnownKeys, file: Path) -> None:
    written(file, "".join(line(number) for number in range(KEYS_LIMIT - 2)))
    with pytest.raises(ConfigError, match=str(KEYS_LIMIT)):
        keys.pin_all([known(number) for number in range(9000, 9003)])
    assert keys.keys().keys() >= {"box9000", "box9001"}
    assert len(keys.keys()) == KEYS_LIMIT


def test_a_file_that_is_too_large(keys: KnownKeys, file: Path) -> None:
    text = line(1) + "# x\n" * 300_000 + line(2)
    written(file, text)
    assert keys.keys() == {"box1": known(1)}
    assert not keys.intact
    assert "1048576 bytes" in keys.warnings[-1]
    for change in CHANGES.values():
        with pytest.raises(ConfigError, match="1048576 bytes"):
            change(keys)
    assert file.read_text() == text


def test_a_file_does_not_become_too_large(keys: KnownKeys, file: Path) -> None:
    text = line(1) + "#" * (1024 * 1024 - len(line(1)) - 1) + "\n"
    written(file, text)
    for change in (CHANGES["pin"], CHANGES["merge"]):
        with pytest.raises(ConfigError, match="bytes"):
            change(keys)
    assert file.read_text() == text


def test_import_adds_and_tells_of_what_differs(keys: KnownKeys, file: Path) -> None:
    written(file, line(1) + line(2))
    text = "# theirs\n" + line(1) + line(9, of=2).replace("Box 2", "Theirs") + line(3) + "?\n"
    merged = keys.merge(text, source="theirs.txt")
    assert merged.added == (known(3),)
    assert merged.same == 1
    assert merged.conflicts == ((known(2), known(9, of=2, name="Theirs")),)
    assert merged.replaced == ()
    assert merged.warnings == ("theirs.txt, line 5: " + merged.warnings[0].partition(": ")[2],)
    assert file.read_text() == line(1) + line(2) + line(3)
    forced = keys.merge(text, force=True)
    assert (forced.added, forced.same, forced.conflicts) == ((), 2, ())
    assert forced.replaced == merged.conflicts
    assert keys.keys()["box2"].key == key(9)


def test_what_is_exported_can_be_imported(keys: KnownKeys, file: Path, tmp_path: Path) -> None:
    written(file, "# mine\n" + line(2) + "garbage\n" + line(1) + line(3, of=1))
    other = KnownKeys(tmp_path / "other" / "known_keys")
    assert other.merge(keys.text()).added == (known(1), known(2))
    assert other.text() == keys.text()
    assert other.keys() == keys.keys()


def test_an_import_that_is_no_list_of_keys(keys: KnownKeys, file: Path) -> None:
    with pytest.raises(ConfigError, match=r"stdin: .*no list of keys"):
        keys.merge(b"x" * (1024 * 1024 + 1), source="stdin")
    assert len(keys.merge(os.urandom(10_000)).warnings) > 0
    assert keys.merge("\ud800\0").added == ()
    assert not file.exists()


def test_refused_keys_are_noted_once(keys: KnownKeys) -> None:
    keys.pin("box1", key(1), "Box 1", SINCE)
    assert keys.note_refused("box1", key(2), "Box 1", SINCE)
    before = (keys.path.parent / "refused_keys").stat().st_mtime_ns
    assert not keys.note_refused("box1", key(2), "Box 1", SINCE + 60)
    assert (keys.path.parent / "refused_keys").stat().st_mtime_ns == before
    assert keys.refused() == (known(2, of=1),)
    assert KnownKeys(keys.path).refused() == (known(2, of=1),)
    keys.note_refused("box3", key(3), "Box 3", SINCE)
    keys.accept("box1", key(2), "Box 1", SINCE)
    assert keys.refused() == (known(3),)
    keys.remove("box3")
    assert keys.refused() == (known(3),), "what was not known cannot be forgotten"


def test_refused_keys_are_bounded(keys: KnownKeys) -> None:
    for number in range(20):
        keys.note_refused("box1", key(number), "Box 1", SINCE)
    assert [entry.key for entry in keys.refused()] == [key(number) for number in range(12, 20)]
    for number in range(100, 100 + 256):
        keys.note_refused(f"box{number}", key(number), "", SINCE)
    assert len(keys.refused()) == 256
    assert keys.refused()[0].id == "box100"


def test_damaged_notes_do_not_matter(keys: KnownKeys, file: Path) -> None:
    notes = written(file.with_name("refused_keys"), b"\0\xff garbage\n" + line(1).encode() + b"x" * 2_000_000)
    assert keys.refused() == (known(1),)
    assert keys.note_refused("box2", key(2), "Box 2", SINCE)
    assert notes.read_text().endswith(line(1) + line(2))
    notes.unlink()
    notes.mkdir()
    with pytest.raises(ConfigError, match="folder"):
        keys.refused()
    keys.accept("box1", key(1), "Box 1", SINCE)
    assert keys.keys() == {"box1": known(1)}
