"""``hybridisco trust``: the keys as a table, and every way to change them; nothing but the result on stdout."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from hybridisco.trust.store import KnownKeys, default_file, fingerprint
from tests.faces.conftest import COMMAND, Cli
from tests.trust.keys import SINCE, key, line


@pytest.fixture
def keys(settings: Path) -> KnownKeys:
    """Return the test's own known keys: those of two boxes."""
    store = KnownKeys(default_file())
    store.pin("abcd1111", key(1), "ComfyUI on gpu-box", SINCE)
    store.pin("abcd2222", key(2), "映像サーバー", SINCE)
    return store


def test_without_keys_it_says_when_there_will_be_some(cli: Cli) -> None:
    for args in (("trust",), ("trust", "list")):
        result = cli(*args)
        assert (result.status, result.out) == (1, "")
        assert "No key is known yet" in result.err
    empty = cli("trust", "list", "--json")
    assert empty.status == 1
    assert json.loads(empty.out) == {"schema": 1, "keys": [], "refused": []}


def test_the_table_on_a_wide_terminal(cli: Cli, keys: KnownKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    result = cli("trust")
    assert (result.status, result.err) == (0, "")
    head, first, second = result.out.splitlines()
    assert head.split() == ["NAME", "ID", "FINGERPRINT", "SINCE"]
    assert first == f"ComfyUI on gpu-box  abcd1111  {fingerprint(key(1))}  2026-11-24"
    assert second == f"映像サーバー        abcd2222  {fingerprint(key(2))}  2026-11-24"
    assert cli("trust", "list").out == result.out


def test_the_table_on_a_narrow_terminal(cli: Cli, keys: KnownKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    keys.pin("abcd3333", key(3), "long " * 16, SINCE)
    keys.pin("abcd0000", key(4), "", SINCE)
    lines = cli("trust").out.splitlines()
    assert lines[1] == "ComfyUI on gpu-box".ljust(50 + 10)[: 50 + 2] + "2026-11-24"
    assert lines[2] == f"  abcd1111  {fingerprint(key(1))}"
    assert lines[3].endswith("...  2026-11-24")
    assert len({line.find("2026") for line in (lines[1], lines[3])}) == 1
    assert lines[-2].startswith("-  "), "what has no name comes last"
    assert lines[-1].startswith("  abcd0000  SHA256:")


def test_the_document_for_programs(cli: Cli, keys: KnownKeys) -> None:
    keys.note_refused("abcd1111", key(9), "ComfyUI on gpu-box", SINCE + 1)
    said = json.loads(cli("trust", "list", "--json").out)
    assert said["keys"][0] == {
        "id": "abcd1111",
        "name": "ComfyUI on gpu-box",
        "type": "ed25519",
        "key": key(1),
        "fingerprint": fingerprint(key(1)),
        "since": "2026-11-24T09:00:00Z",
    }
    assert [(entry["id"], entry["key"]) for entry in said["refused"]] == [("abcd1111", key(9))]


def test_the_list_tells_of_damage_and_of_what_was_refused(cli: Cli, keys: KnownKeys) -> None:
    with keys.path.open("ab") as file:
        file.write(b"\xff\0\n")
    for number in range(7):
        keys.note_refused(f"new{number}", key(number), f"New {number}", SINCE)
    result = cli("trust")
    assert result.status == 0
    assert f"Warning: {keys.path}, line 5: This line is not UTF-8." in result.err
    assert f"Refused: a key of New 6 (new6), not among the accepted:\n  {fingerprint(key(6))}  seen" in result.err
    assert "hybridisco trust accept new6\n" in result.err
    assert "keys of 2 more" in result.err
    assert "\0" not in result.out + result.err


def test_the_list_shows_every_refused_key_of_a_known_one(cli: Cli, keys: KnownKeys) -> None:
    for number in (8, 9):
        keys.note_refused("abcd1111", key(number), "ComfyUI on gpu-box", SINCE)
    err = cli("trust").err
    assert "Refused: 2 keys of ComfyUI on gpu-box (abcd1111), not the known one:" in err
    assert fingerprint(key(8)) in err and fingerprint(key(9)) in err


@pytest.mark.parametrize(
    ("mode", "words"), [("pinned", "No key is accepted yet"), ("off", "not looked at"), ("first-use", "is remembered")]
)
def test_without_keys_it_says_what_the_mode_makes_of_that(cli: Cli, settings: Path, mode: str, words: str) -> None:
    settings.parent.mkdir()
    settings.write_text(f'[trust]\nmode = "{mode}"\n')
    assert words in cli("trust").err
    settings.write_text("[trust]\nmode = 3\n")
    assert "No key is known yet" in cli("trust").err, "the settings are told of elsewhere"


def test_the_list_says_where_nothing_can_be_checked(cli: Cli, keys: KnownKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("trust").err == ""
    monkeypatch.setattr("hybridisco.trust.ed25519.can_verify", lambda: False)
    result = cli("trust")
    assert "cannot be checked here" in result.err and "`pip install cryptography`" in result.err
    assert result.out


def test_the_id_of_the_list_is_understood(cli: Cli, keys: KnownKeys) -> None:
    keys.note_refused("abcd1111", key(9), "ComfyUI on gpu-box", SINCE)
    assert cli("trust", "accept", "abcd1111~comfyui@gpu-box:8188", "--yes").status == 0
    assert keys.keys()["abcd1111"].key == key(9)
    assert cli("trust", "accept", "abcd1111~comfyui@gpu-box:8188", "--yes", "--key", key(7)).status == 0
    assert cli("trust", "accept", "fresh~comfyui@gpu-box:8188", "--yes", "--key", key(6)).status == 0
    assert (keys.keys()["abcd1111"].key, keys.keys()["fresh"].key) == (key(7), key(6))
    keys.pin("abcd3333", key(3), "comfyui", SINCE)
    assert cli("trust", "remove", "comfyui~gpu-box:8188").status == 2, "only a whole id is before the ~"
    assert cli("trust", "remove", "abcd1111~comfyui@gpu-box:8188").status == 0
    assert "abcd1111" not in keys.load()


@pytest.mark.parametrize("named", ["abcd1111", "abcd1", "ABCD1", "comfyui ON gpu-box "])
def test_accepting_what_was_refused(cli: Cli, keys: KnownKeys, named: str) -> None:
    keys.note_refused("abcd1111", key(9), "ComfyUI on gpu-box", SINCE)
    result = cli("trust", "accept", named, "--yes")
    assert (result.status, result.out) == (0, "")
    assert "ComfyUI on gpu-box (abcd1111)\n" in result.err
    assert f"known  {fingerprint(key(1))}" in result.err
    assert f"new    {fingerprint(key(9))}" in result.err
    assert keys.keys()["abcd1111"].key == key(9)
    assert keys.refused() == ()
    again = cli("trust", "accept", named)
    assert again.status == 2
    assert "No other key of ComfyUI on gpu-box (abcd1111) was refused lately" in again.err
    assert "no longer signed, there is no key to accept" in again.err
    assert "`hybridisco trust remove abcd1111`" in again.err


def test_accepting_is_asked_for(cli: Cli, keys: KnownKeys) -> None:
    keys.note_refused("abcd1111", key(9), "Somebody else", SINCE)
    result = cli("trust", "accept", "abcd1111")
    assert (result.status, result.out) == (2, "")
    assert "--yes" in result.err
    assert "ComfyUI on gpu-box (abcd1111)\n" in result.err, "the new name may be a lie"
    assert keys.keys()["abcd1111"].key == key(1)


@pytest.mark.parametrize(("answer", "status", "number"), [("y", 0, 9), ("n", 1, 1), ("", 1, 1), ("\x04", 130, 1)])
def test_the_person_decides(keys: KnownKeys, answer: str, status: int, number: int) -> None:
    keys.note_refused("abcd1111", key(9), "ComfyUI on gpu-box", SINCE)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "trust", "accept", "abcd1111"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    said = ""
    while "[y/N]" not in said:
        said += process.stderr.read(1)
    os.write(ours, answer.encode() + (b"" if answer == "\x04" else b"\n"))  # Ctrl-D counts as it is
    out, err = process.communicate(timeout=20)
    os.close(ours)
    assert (process.returncode, out) == (status, "")
    assert ("Nothing was changed" in err) == (status == 1)
    assert keys.keys()["abcd1111"].key == key(number)


def test_accepting_a_key_by_hand(cli: Cli, keys: KnownKeys) -> None:
    padded = key(5) + "="
    assert cli("trust", "accept", "new-box", "--key", padded, "--yes").status == 0
    assert keys.keys()["new-box"].key == key(5)
    assert cli("trust", "accept", "comfyui on gpu-box", "--key", key(6), "--yes").status == 0
    assert keys.keys()["abcd1111"].key == key(6)
    assert "has this key already" in cli("trust", "accept", "abcd1111", "--key", key(6)).err
    half = cli("trust", "accept", "abcd2", "--key", key(7), "--yes")
    assert half.status == 2
    assert "Did you mean abcd2222?" in half.err
    for args, hint in (
        (("a b", "--key", key(7)), "not the id"),
        (("x", "--key", "nonsense"), "43 characters"),
        (("nobody",), "called 'nobody' was refused lately"),
        (("abcd",), "may mean ComfyUI on gpu-box (abcd1111), 映像サーバー (abcd2222). Write more"),
        (("",), "called '' was refused"),
    ):
        result = cli("trust", "accept", *args, "--yes")
        assert (result.status, result.out) == (2, "")
        assert hint in result.err


def test_several_refused_keys_are_told_apart(cli: Cli, keys: KnownKeys) -> None:
    for number in (8, 9):
        keys.note_refused("abcd1111", key(number), "ComfyUI on gpu-box", SINCE)
    result = cli("trust", "accept", "abcd1111", "--yes")
    assert result.status == 2
    assert "2 different keys" in result.err
    for number in (8, 9):
        assert key(number) in result.err
        assert fingerprint(key(number)) in result.err
    assert keys.keys()["abcd1111"].key == key(1)
    assert cli("trust", "accept", "abcd1111", "--yes", "--key", key(8)).status == 0


def test_a_name_that_two_claim_is_no_name(cli: Cli, keys: KnownKeys) -> None:
    keys.note_refused("evil", key(9), "ComfyUI on gpu-box", SINCE)
    result = cli("trust", "accept", "ComfyUI on gpu-box", "--yes")
    assert result.status == 2
    assert "(abcd1111)" in result.err
    assert "(evil)" in result.err


def test_a_damaged_line_is_mended_by_accepting(cli: Cli, keys: KnownKeys) -> None:
    keys.path.write_text("abcd1111 ed25519 xx 2026-11-24T09:00:00Z ComfyUI\n")
    result = cli("trust", "accept", "abcd1111", "--key", key(3), "--yes")
    assert "a line that is damaged" in result.err
    assert keys.path.read_text().startswith(f"abcd1111 ed25519 {key(3)} ")


def test_removing_several_or_nothing(cli: Cli, keys: KnownKeys) -> None:
    wrong = cli("trust", "remove", "abcd1", "nobody")
    assert wrong.status == 2
    assert "No key of 'nobody' is known" in wrong.err
    assert len(keys.keys()) == 2
    result = cli("trust", "remove", "abcd1", "映像サーバー", "abcd1111")
    assert (result.status, result.out) == (0, "")
    assert result.err.count("Forgotten: ") == 2
    assert keys.keys() == {}
    assert cli("trust", "remove").status == 2


def test_export_and_import(cli: Cli, keys: KnownKeys, tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    written = cli("trust", "export", str(file))
    assert (written.status, written.out) == (0, "")
    assert "Written: 2 keys" in written.err
    assert cli("trust", "export").out == cli("trust", "export", "-").out == file.read_text() == keys.text()
    again = cli("trust", "export", str(file))
    assert again.status == 2
    assert "exists already" in again.err
    assert "cannot be written" in cli("trust", "export", str(tmp_path / "no" / "x")).err
    keys.path.unlink()
    result = cli("trust", "import", str(file))
    assert (result.status, result.out, result.err) == (0, "", "Keys: 2 new.\n")
    assert cli("trust", "import", str(file)).err == "Keys: 2 known already.\n"


def test_import_does_not_overwrite_unasked(cli: Cli, keys: KnownKeys, tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    file.write_text(line(9).replace("box9", "abcd1111") + line(3) + "garbage\n")
    result = cli("trust", "import", str(file))
    assert (result.status, result.out) == (2, "")
    assert f"Warning: {file}, line 3: " in result.err
    assert fingerprint(key(1)) in result.err
    assert fingerprint(key(9)) in result.err
    assert "Keys: 1 new." in result.err
    assert "--force" in result.err
    assert (keys.keys()["abcd1111"].key, keys.keys()["box3"].key) == (key(1), key(3))
    forced = cli("trust", "import", str(file), "--force")
    assert "Keys: 1 known already, 1 replaced." in forced.err
    assert keys.keys()["abcd1111"].key == key(9)


def test_import_from_a_pipe(cli: Cli, keys: KnownKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line(3).encode())))
    assert cli("trust", "import", "-").status == 0
    assert keys.load()["box3"].key == key(3)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\0" * 9)))
    result = cli("trust", "import", "-")
    assert result.status == 2
    assert "stdin: There is no key in it" in result.err


def test_files_that_cannot_be_read(cli: Cli, keys: KnownKeys, tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "none", "a\0b"):
        result = cli("trust", "import", str(name))
        assert result.status == 2
        assert "cannot be read" in result.err
    keys.path.unlink()
    keys.path.mkdir()
    for args in (("list",), ("accept", "a"), ("remove", "a"), ("export",), ("import", __file__)):
        result = cli("trust", *args)
        assert (result.status, result.out) == (2, "")
        assert f"{keys.path}: This is a folder" in result.err


def test_ids_are_completed(keys: KnownKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.shell_completion import ShellComplete

    from hybridisco.faces.cli.app import cli as group

    keys.note_refused("abcx", key(9), "New", SINCE)

    def completed(*args: str) -> set[str]:
        shell = ShellComplete(group, {}, "hybridisco", "_X")
        return {item.value for item in shell.get_completions([*args[:-1]], args[-1])}

    assert completed("trust", "accept", "abc") == {"abcd1111", "abcd2222", "abcx"}
    assert completed("trust", "remove", "abcd1") == {"abcd1111"}
    assert completed("trust", "ac") == {"accept"}
    monkeypatch.setenv("HYBRIDISCO_STATE", str(keys.path))
    assert completed("trust", "remove", "a") == set()
