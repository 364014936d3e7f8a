"""The text of a file of keys: what a line says, what is wrong with it, and that nothing is lost."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.trust.lines import Known, fingerprint, line_of, read, read_line, written_time
from tests.trust.keys import SINCE, key, known, line


def test_a_line_says_what_was_written() -> None:
    entry = known(1)
    assert line_of(entry).decode() + "\n" == line(1)
    assert read_line(line(1).encode()) == entry
    assert read_line(b"\xef\xbb\xbf  " + line(1).encode() + b"\r") == entry
    nameless = Known("a", key(1), SINCE, "")
    assert read_line(line_of(nameless)) == nameless


@given(st.text(max_size=100), st.floats(allow_nan=False))
def test_every_name_and_time_makes_one_line(name: str, since: float) -> None:
    written = line_of(Known("a", key(1), since, name))
    assert written.count(b"\n") == 0
    again = read_line(written)
    assert isinstance(again, Known)
    assert line_of(again) == written


def test_times_are_utc_and_whole() -> None:
    assert written_time(SINCE + 0.9) == "2026-11-24T09:00:00Z"
    assert written_time(-1) == "1970-01-01T00:00:00Z"
    assert written_time(1e300) == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize("text", ["", "  ", "# x", "\t# x y", "\r"])
def test_lines_that_say_nothing(text: str) -> None:
    assert read_line(text.encode()) is None


KEY = key(1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff", "not UTF-8"),
        (b"hello", "looks like this: ID ed25519 KEY"),
        (f"a ed25519 {KEY}".encode(), "looks like this"),
        (f"a/b ed25519 {KEY} 2026-11-24T09:00:00Z x".encode(), "not the id"),
        (f"a\0 ed25519 {KEY} 2026-11-24T09:00:00Z x".encode(), r"'a\x00' is not the id"),
        (f"a ssh-rsa {KEY} 2026-11-24T09:00:00Z x".encode(), "kind of key"),
        (f"a ed25519 {KEY}= 2026-11-24T09:00:00Z x".encode(), "damaged"),
        (f"a ed25519 {KEY[:-1]} 2026-11-24T09:00:00Z x".encode(), "damaged"),
        (f"a ed25519 {KEY[:-1]}é 2026-11-24T09:00:00Z x".encode(), "damaged"),
        (f"a ed25519 {'A' * 42}B 2026-11-24T09:00:00Z x".encode(), "damaged"),  # bits beyond the last octet
        (f"a ed25519 {KEY} yesterday x".encode(), "not a time"),
        (f"a ed25519 {KEY} 2026-13-24T09:00:00Z x".encode(), "not a time"),
    ],
)
def test_what_is_wrong_with_a_line(text: bytes, why: str) -> None:
    said = read_line(text)
    assert isinstance(said, str)
    assert why in said


def test_a_damaged_line_of_an_id_keeps_its_place() -> None:
    page = read(b"box1 ed25519 AAAA 2026-11-24T09:00:00Z x\nhello world\n")
    assert page.keys.keys() == {"box1"}
    assert page.keys["box1"].damaged
    assert [number for number, _ in page.wrong] == [1, 2]


def test_of_two_keys_the_first_holds() -> None:
    page = read((line(1) + line(2, of=1) + line(1)).encode())
    assert page.keys == {"box1": known(1)}
    assert page.warnings("f") == ("f, line 2: box1 has another key above, which holds. Remove one of the two lines.",)


def test_a_change_keeps_all_other_lines() -> None:
    before, after = b"# mine\r\n", b"\xff\0 garbage\n\n  " + line(2).encode() + b"# end"
    page = read(before + line(1).encode() + after)
    assert page.text() == before + line(1).encode() + after + b"\n"
    changed = page.having([known(9, of=1), known(3)])
    assert changed.text() == before + line(9, of=1).encode() + after + b"\n" + line(3).encode()
    assert changed.without({"box3", "box1"}).text() == before + after + b"\n"


def test_all_lines_of_an_id_are_changed() -> None:
    page = read((line(1) + line(2) + line(3, of=1)).encode())
    assert page.having([known(4, of=1)]).text().decode() == line(4, of=1) + line(2)
    assert page.without({"box1"}).text().decode() == line(2)


def test_warnings_are_bounded() -> None:
    warnings = read(b"x\n" * 100).warnings("f")
    assert len(warnings) == 21
    assert warnings[0].startswith("f, line 1: ")
    assert warnings[-1] == "f: 80 more lines are not understood."


@given(st.binary(max_size=300))
def test_no_octets_are_an_error_or_lost(data: bytes) -> None:
    page = read(data)
    assert page.text() == (data if data.endswith(b"\n") or not data else data + b"\n")
    more = page.having([known(1)])
    assert more.keys["box1"] == known(1)
    assert [each for each in page.lines if not each.startswith(b"box1")] == list(more.lines[: len(page.lines)])


def test_the_fingerprint_is_that_of_ssh(tmp_path: Path) -> None:
    assert fingerprint(key(1)).startswith("SHA256:")
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen here")
    octets = base64.b64decode(key(1) + "=")
    sent = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", octets))
    file = tmp_path / "key.pub"
    file.write_text(f"ssh-ed25519 {base64.b64encode(sent).decode()} x\n")
    told = subprocess.run(["ssh-keygen", "-lf", str(file)], capture_output=True, text=True, check=True).stdout
    assert told.split()[1] == fingerprint(key(1))
