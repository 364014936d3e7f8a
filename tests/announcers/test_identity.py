"""The id of an announced backend: kept, its own, and never another machine's."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from announcers import files, identity
from announcers.identity import machine_fingerprint, service_id
from hybridisco import AnnounceError, sidecar_host
from hybridisco.core.identity import shown_host
from tests.lab import child
from tests.lab.require import require


def test_an_id_is_kept_for_each_kind_and_port(tmp_path: Path) -> None:
    first = service_id(tmp_path, "comfyui", 8188)
    assert re.fullmatch(r"[a-z2-7]{26}", first)
    assert service_id(tmp_path, "comfyui", 8188) == first
    assert len({first, service_id(tmp_path, "comfyui", 8189), service_id(tmp_path, "rvc", 8188)}) == 3
    assert not [file for file in (tmp_path / "ids").iterdir() if file.name.startswith(".")]


def test_another_state_folder_has_other_ids(tmp_path: Path) -> None:
    assert service_id(tmp_path / "a", "rvc", 1) != service_id(tmp_path / "b", "rvc", 1)


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"id": 7, "machine": "x"}',
        b'{"id": "short", "machine": "x"}', b'{"id": "../../../../etc/passwd....", "machine": "x"}',
        '{"id": "ääääääääääääääääääääääääää", "machine": "MACHINE"}'.encode(),
    ],
)  # fmt: skip
def test_a_damaged_file_is_replaced_by_a_new_id(tmp_path: Path, damage: bytes) -> None:
    old = service_id(tmp_path, "rvc", 7865)
    (file,) = (tmp_path / "ids").iterdir()
    file.write_bytes(damage.replace(b"MACHINE", machine_fingerprint().encode()))
    new = service_id(tmp_path, "rvc", 7865)
    assert new != old
    assert re.fullmatch(r"[a-z2-7]{26}", new)
    assert service_id(tmp_path, "rvc", 7865) == new


def test_a_damaged_file_is_put_aside_and_not_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = service_id(tmp_path, "rvc", 7865)
    (file,) = (tmp_path / "ids").iterdir()
    file.write_text(file.read_text()[:-10])
    service_id(tmp_path, "rvc", 7865)
    assert old in (tmp_path / "ids" / "rvc-7865.json.damaged").read_text()
    assert "rvc-7865.json.damaged" in caplog.text


def _fifo(file: Path) -> None:
    os.mkfifo(file)


def _zeros(file: Path) -> None:
    file.symlink_to("/dev/zero")


def _loop(file: Path) -> None:
    file.symlink_to(file)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders there")
@pytest.mark.parametrize("put", [Path.mkdir, _fifo, _zeros, _loop])
def test_what_is_no_file_is_told_and_left_alone(tmp_path: Path, put: Callable[[Path], None]) -> None:
    (tmp_path / "ids").mkdir()
    file = tmp_path / "ids" / "rvc-7865.json"
    put(file)
    with pytest.raises(AnnounceError, match=r"rvc-7865.json cannot be read .*left as it is"):
        service_id(tmp_path, "rvc", 7865)
    assert os.path.lexists(file)


def test_a_huge_file_is_damaged_and_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "ids").mkdir()
    file = tmp_path / "ids" / "rvc-7865.json"
    with file.open("wb") as stream:
        stream.truncate(1 << 30)
    assert re.fullmatch(r"[a-z2-7]{26}", service_id(tmp_path, "rvc", 7865))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_file_that_cannot_be_read_at_the_moment_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A new id, or a new key, is another service to everybody on the LAN."""
    old = service_id(tmp_path, "rvc", 7865)
    real = os.open

    def refuse(path: object, *args: int) -> int:
        if str(path).endswith("rvc-7865.json"):
            raise OSError(number, os.strerror(number))
        return real(path, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "open", refuse)  # type: ignore[attr-defined]
        with pytest.raises(AnnounceError, match="left as it is"):
            service_id(tmp_path, "rvc", 7865)
    assert service_id(tmp_path, "rvc", 7865) == old


def test_another_users_file_stays_his() -> None:
    """Started once as root, and then as a user."""
    require(child.missing())
    with child.public_folder() as place:
        old = service_id(place, "rvc", 7865)
        (place / "ids").chmod(0o777)
        said = child.as_nobody(lambda: service_id(place, "rvc", 7865))
        assert said.startswith("AnnounceError")
        assert "Probably it belongs to another user" in said
        assert service_id(place, "rvc", 7865) == old


def test_a_full_disk_is_told_and_leaves_no_draft() -> None:
    require(child.missing())

    def work() -> str:
        with (place / "rubbish").open("wb", buffering=0) as rubbish, suppress(OSError):
            while True:
                rubbish.write(b"x" * 1024)
        try:
            return service_id(place, "rvc", 7865)
        except AnnounceError as error:
            return f"{error} {sorted(path.name for path in place.rglob('*'))}"

    with child.public_folder() as place:
        said = child.on_disk(place, "size=64k", work)
    assert "No space left on device" in said
    assert said.endswith("['ids', 'rubbish']")


def test_a_machine_id_that_cannot_be_read_costs_no_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each backend would get a new one, as if the folder were another machine's."""
    monkeypatch.setattr(identity, "_MACHINE_FILES", (str(tmp_path),))
    with pytest.raises(AnnounceError, match="tells this machine from others, cannot be read"):
        service_id(tmp_path, "rvc", 7865)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00" * 10)
    monkeypatch.setattr(identity, "_MACHINE_FILES", (str(tmp_path / "binary"),))
    assert machine_fingerprint() == machine_fingerprint()


def test_a_folder_that_was_copied_from_another_machine_gives_new_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "machine-id", tmp_path / "another"
    here.write_text("0123456789abcdef0123456789abcdef\n")
    there.write_text("fedcba9876543210fedcba9876543210\n")
    monkeypatch.setattr(identity, "_MACHINE_FILES", (str(here),))
    first = service_id(tmp_path, "rvc", 7865)
    monkeypatch.setattr(identity, "_MACHINE_FILES", (str(there),))
    second = service_id(tmp_path, "rvc", 7865)
    assert first != second
    assert service_id(tmp_path, "rvc", 7865) == second


def test_the_file_tells_nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(identity, "_MACHINE_FILES", (str(machine),))
    service_id(tmp_path, "rvc", 7865)
    (file,) = (tmp_path / "ids").iterdir()
    assert "0123456789abcdef0123456789abcdef" not in file.read_text()
    assert set(json.loads(file.read_text())) == {"id", "machine"}


@pytest.mark.parametrize("told", [None, ""])
def test_a_machine_without_a_machine_id_still_has_a_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None
) -> None:
    file = tmp_path / "machine-id"
    if told is not None:
        file.write_text(told)
    monkeypatch.setattr(identity, "_MACHINE_FILES", (str(file),))
    assert machine_fingerprint() == machine_fingerprint()


def test_a_folder_that_cannot_be_written_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, where a folder should be")
    with pytest.raises(AnnounceError, match="HYBRIDISCO_STATE"):
        service_id(tmp_path / "state", "rvc", 7865)


def test_sidecars_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(lambda _: service_id(tmp_path, "rvc", 7865), range(64)))
    assert ids == {service_id(tmp_path, "rvc", 7865)}


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: str) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuse)  # stands for FAT
    first = service_id(tmp_path, "rvc", 7865)
    assert service_id(tmp_path, "rvc", 7865) == first


@pytest.mark.parametrize("name", ["gpu-box", "gpu-box.lan", "x" * 63, "hybridisco", "my-hybridisco-box", ""])
def test_the_host_name_of_a_sidecar_is_its_own_and_shown_as_the_machines(name: str) -> None:
    made = sidecar_host(name, "AbCdEfghijklmnopqrstuvwxyz")
    label, _, domain = made.partition(".")
    assert domain == "local"
    assert len(label) <= 63
    assert label.endswith("-hybridisco-abcdef")
    shown = shown_host(made)
    assert (name or "localhost").partition(".")[0].startswith(shown.removesuffix(".local"))
    assert shown_host(shown) == shown


@pytest.mark.parametrize(
    "name", ["gpu-box.local", "hybridisco-abcdef.local", "box-hybridisco-abcdefg.local", "10.0.0.1"]
)
def test_other_host_names_are_shown_as_they_are(name: str) -> None:
    assert shown_host(name) == name
