"""Changing the user's file: comments stay, wrong files stay, links stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.config import load
from hybridisco.config.edit import (
    _with_entry,
    _without_entries,
    add_ignore,
    add_service,
    create,
    remove_ignore,
    remove_service,
)
from hybridisco.config.example import EXAMPLE
from hybridisco.config.schema import interpret
from hybridisco.core.errors import ConfigError, UsageError

COMMENTED = """\
# my machines
[[services]]  # the first
url = "http://a:1"  # keep away

# how I probe
[probe]
hosts = ["localhost", # this
  "b"]

[[services]]
url = "http://b:1/x"
name = "Bee"
# the end
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "config.toml"


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def test_the_first_entry_makes_folder_and_file(file: Path) -> None:
    entry = add_service(file, "gpu-box:8188", "Comfy", 'The "big" box')
    assert (
        file.read_text() == '[[services]]\nname = "The \\"big\\" box"\nkind = "comfyui"\nurl = "http://gpu-box:8188"\n'
    )
    assert load(file).services == (entry,)


def test_adding_keeps_every_line(file: Path) -> None:
    written(file, COMMENTED)
    add_service(file, "c:9")
    assert file.read_text() == COMMENTED + '\n[[services]]\nurl = "http://c:9"\n'
    written(file, EXAMPLE)
    add_service(file, "c:9")
    assert file.read_text().startswith(EXAMPLE)


def test_adding_writes_as_the_file_does(file: Path) -> None:
    written(file, "")
    file.write_bytes(b'services = [{url="http://a:1"}] # mine\r\n')
    add_service(file, "c:9", name="C")
    assert file.read_bytes() == b'services = [{url="http://a:1"}, { name = "C", url = "http://c:9" }] # mine\r\n'
    file.write_bytes(b"# x\r\n")
    add_service(file, "c:9")
    assert file.read_bytes() == b'# x\r\n\r\n[[services]]\r\nurl = "http://c:9"\r\n'


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("gpu-box",), "hybridisco probe gpu-box"),
        (("a:1",), "is there already"),
        (("http://b:1/x/",), "named Bee"),
        (("c:1", None, "bee"), "already the name"),
        (("c:1", "comfi"), "Did you mean comfyui"),
        (("http://me:pw@c:1",), "password"),
    ],
)
def test_what_cannot_be_added(file: Path, arguments: tuple[str, ...], hint: str) -> None:
    written(file, COMMENTED)
    with pytest.raises(UsageError, match=hint):
        add_service(file, *arguments)
    assert file.read_text() == COMMENTED


@pytest.mark.parametrize("named", ["http://a:1", "a:1", "comfyui@a:1"])
def test_removing_keeps_comments(file: Path, named: str) -> None:
    written(file, COMMENTED)
    (gone,) = remove_service(file, named)
    assert gone.url == "http://a:1"
    assert file.read_text() == COMMENTED.replace('[[services]]  # the first\nurl = "http://a:1"  # keep away\n\n', "")


def test_removing_by_name_and_to_the_last(file: Path) -> None:
    written(file, COMMENTED)
    assert remove_service(file, "BEE")[0].url == "http://b:1/x"
    remove_service(file, "a:1")
    assert load(file).services == ()
    assert "# the end" in file.read_text()
    with pytest.raises(UsageError, match="It has no services"):
        remove_service(file, "a:1")


def test_an_id_of_this_machine_means_any_of_its_addresses(file: Path) -> None:
    add_service(file, "[::1]:4000")
    assert remove_service(file, "litellm@localhost:4000")


def test_removing_from_an_inline_list(file: Path) -> None:
    written(file, 'services = [{url = "http://a:1"}, {url = "http://b:1"}] # mine\n')
    remove_service(file, "a:1")
    assert [entry.url for entry in load(file).services] == ["http://b:1"]
    assert "# mine" in file.read_text()


@pytest.mark.parametrize("named", ["https://a:1", "nobody", "a", "x@", "a:2", ""])
def test_what_cannot_be_removed(file: Path, named: str) -> None:
    written(file, COMMENTED)
    with pytest.raises(UsageError, match="hybridisco ignore"):
        remove_service(file, named)
    assert file.read_text() == COMMENTED


def test_ignoring_and_showing_again(file: Path) -> None:
    assert add_ignore(file, "comfyui@box:1")
    assert not add_ignore(file, "comfyui@box:1")
    assert add_ignore(file, "other")
    assert load(file).ignore == ("comfyui@box:1", "other")
    assert remove_ignore(file, "comfyui@box:1")
    assert not remove_ignore(file, "comfyui@box:1")
    assert load(file).ignore == ("other",)
    with pytest.raises(UsageError, match="id of a service"):
        add_ignore(file, "two words")


def test_ignoring_keeps_the_rest_of_the_table(file: Path) -> None:
    written(file, "[discovery]\ntimeout_s = 3 # s\n# below\n[probe]\n")
    add_ignore(file, "x")
    assert "timeout_s = 3 # s\n" in file.read_text()
    assert "# below" in file.read_text()
    assert load(file).ignore == ("x",)


def test_a_wrong_file_is_never_overwritten(file: Path) -> None:
    written(file, "[prob]\n")
    for change in (
        lambda: add_service(file, "a:1"),
        lambda: add_ignore(file, "x"),
        lambda: remove_service(file, "a:1"),
    ):
        with pytest.raises(ConfigError, match="Did you mean probe"):
            change()
    assert file.read_text() == "[prob]\n"
    with pytest.raises(ConfigError, match="exists already"):
        create(file, "")


def test_link_and_mode_stay_and_nothing_is_left_over(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("# mine\n")
    real.chmod(0o600)
    file.parent.mkdir()
    file.symlink_to(real)
    add_service(file, "a:1")
    assert file.is_symlink()
    assert "http://a:1" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "real.toml"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        add_service(tmp_path / "file" / "config.toml", "a:1")


ENTRIES = st.lists(
    st.tuples(st.integers(1, 65535), st.none() | st.text(min_size=1, max_size=20)), max_size=5, unique_by=lambda e: e[0]
)


@given(ENTRIES, st.data())
def test_added_entries_are_read_again_and_removed_ones_are_gone(
    entries: list[tuple[int, str | None]], data: st.DataObject
) -> None:
    from hybridisco.config import ManualEntry
    from hybridisco.core import safe
    from hybridisco.core.target import parse

    text = EXAMPLE
    made = [
        ManualEntry(None, parse(f"box:{port}"), safe.text(name), parse(f"box:{port}").url) for port, name in entries
    ]
    for entry in made:
        text = _with_entry(text, entry)
    assert interpret(text, Path("c")).services == tuple(made)
    gone = sorted(data.draw(st.sets(st.integers(0, len(made) - 1))) if made else [])
    text = _without_entries(text, gone)
    assert interpret(text, Path("c")).services == tuple(e for i, e in enumerate(made) if i not in gone)
    assert all(line in text for line in EXAMPLE.splitlines())
