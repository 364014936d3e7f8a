"""The user's file: read, written out, edited. And a place or a range of ports that the user typed.

What begins with ``place:`` or ``ports:`` is such a word; all else is a file, which is edited, too, if it begins with
``edit:`` (that takes 30 times as long).
"""

from __future__ import annotations

import atexit
import functools
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

from hybridisco import config
from hybridisco.config import dump, edit
from hybridisco.config.example import EXAMPLE
from hybridisco.config.schema import interpret
from hybridisco.core import target
from hybridisco.core.errors import ConfigError, HybridiscoError, UsageError
from hybridisco.kinds import offered
from tests.fuzz import bounds
from tests.fuzz.words import words

WORDS = words(
    r"""
    place: ports: edit: http:// https:// fe80::1% %25 [::1] xn-- 127.0.0.1 :8188 8000-8200
    [discovery]\n timeout_s= sources= ignore= [probe]\n hosts= ports= rescan_s= [mdns]\n interfaces= types=
    [trust]\n mode= [announce]\n kinds= names= bridges= temporary= [kinds.mine]\n title= health= announce=
    [kinds.comfyui]\n "comfyui" [[kinds.mine.proofs]]\n proofs= path= status= has= equals= matches= header= body=
    [[services]]\n url= kind= name=
    \"\"\" \'\'\' \\u0000 \\u202e nan inf 1979-05-27T07:32:00Z 0x7f 1e999 true {} [] [[ ]] # = . \x7f \xef\xbb\xbf \r\n
    """
)
_MESSAGE_LIMIT = 1500  # characters: what a person reads

_any_package = functools.cache(offered.by_packages)


def check(data: bytes) -> None:
    """Take the octets for what they say that they are."""
    word = data[6:].decode("utf-8", "surrogateescape")
    if data.startswith(b"place:"):
        _place(word)
    elif data.startswith(b"ports:"):
        _ports(word)
    else:
        # To look through all installed packages takes 2 ms, and no part of the input.
        with mock.patch.object(offered, "by_packages", _any_package):
            _file(data.removeprefix(b"edit:"), edited=data.startswith(b"edit:"))


def _place(text: str) -> None:
    try:
        found = target.parse(text)
    except UsageError as error:
        _message(error)
        assert "@" not in text or len(text) < 8 or text not in str(error), "a message tells what may be a password"
        return
    assert found.port is None or 0 < found.port < 65536
    assert re.fullmatch(r"[a-z0-9_.:-]{1,253}", found.host), found.host
    assert found.zone is None or re.fullmatch(r"[A-Za-z0-9._~-]{1,32}", found.zone), found.zone
    bounds.path(found.path)
    assert target.parse(str(found)) == found, str(found)
    if found.port is not None:
        assert target.parse(found.url) == found, found.url


def _ports(text: str) -> None:
    try:
        low, high = target.parse_ports(text)
    except UsageError as error:
        _message(error)
        return
    assert 0 < low <= high < 65536
    assert target.parse_ports(f"{low}-{high}") == (low, high)


def _file(data: bytes, *, edited: bool) -> None:
    file = _folder() / "config.toml"
    file.write_bytes(data)
    try:
        settings = config.load(file)
    except ConfigError as error:
        _message(error)
        assert error.file == file
        assert error.line is None or 0 < error.line <= data.count(b"\n") + 1, error.line
        return
    for low, high in (*settings.probe_ports, *settings.announce.ports):
        assert 0 < low <= high < 65536
    for entry in settings.services:
        bounds.clean(entry.name)
        assert target.parse(entry.url) == entry.target
    written = dump.toml(settings)
    assert interpret(written, file) == settings, written
    if edited:
        _edited(file, settings)


def _edited(file: Path, settings: config.Config) -> None:
    """What is added is there, all else is as it was, and taken away again it is gone."""
    try:
        entry = edit.add_service(file, "http://fuzz.example:4242/base", "comfyui", "Fuzz")
        assert config.load(file) == replace(settings, services=(*settings.services, entry))
        if edit.add_ignore(file, "fuzz@example:1"):
            assert config.load(file).ignore == (*settings.ignore, "fuzz@example:1")
            assert edit.remove_ignore(file, "fuzz@example:1")
        assert edit.remove_service(file, "Fuzz") == (entry,)
        assert config.load(file) == settings
    except HybridiscoError as error:
        _message(error)


def _message(error: HybridiscoError) -> None:
    bounds.printable(str(error))
    assert len(str(error)) <= _MESSAGE_LIMIT, f"a message of {len(str(error))} characters"


@functools.cache
def _folder() -> Path:
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="hybridisco-fuzz-", dir=memory if memory.is_dir() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


_EVERY_KEY = """\
discovery = { timeout_s = 1, sources = ["mdns", "manual"], ignore = ["comfyui@gpu-box:8188"] }
[probe]
hosts = ["localhost", "gpu-box", "fe80::1%eth0", "10.0.0.5"]
ports = ["8000-8200", 9000]
timeout_s = 2.5
rescan_s = 10
[mdns]
interfaces = ["eth0"]
types."_wyoming._tcp" = "wyoming"
[announce]
kinds = ["comfyui"]
ports = ["9000-9010"]
names = { comfyui = "Film machine", "comfyui:8189" = "Second one" }
interfaces = ["eth0"]
bridges = true
temporary = false
[trust]
mode = "pinned"
[kinds.comfyui]
ports = [8188, 8000]
health = "/healthz"
announce = true
[kinds.drawbot]
title = "Drawbot"
ports = [7777]
capabilities = ["image"]
start_hint = "Start it."
lan_hint = '''Start it with --host 0.0.0.0'''
[[kinds.drawbot.proofs]]
path = "/api/about"
status = [200, 404]
has = ["version", "models.0.name"]
equals = { app = "drawbot", n = 1.5 }
matches = { title = "^Draw" }
header = { server = "^drawbot" }
body = "Drawbot \\\\d"
# a comment
[[services]]
name = "Big"
kind = "comfyui"
url = "http://gpu-box:8188/base"  # another

[[services]]
url = "https://[fe80::2%25eth0]"
"""


def seeds() -> Iterator[tuple[str, bytes]]:
    """The example, the same with its comments taken away, every key once, and ways to write a place."""
    yield "example", EXAMPLE.encode()
    yield "uncommented", re.sub(r"^# (?=\S+ = |\[)", "", EXAMPLE, flags=re.MULTILINE).encode()
    yield "every-key", _EVERY_KEY.encode()
    yield "windows", ("\ufeff" + _EVERY_KEY.replace("\n", "\r\n")).encode()
    for number, part in enumerate(re.split(r"(?m)^(?=\[[^\[])", _EVERY_KEY)):
        yield f"part-{number}", part.encode()
        yield f"edit-{number}", b"edit:" + part.encode()
    yield "inline", b'edit:services = [{ url = "http://a:1" }, { url = "http://b:2", name = "B" }]\n'
    yield "deep", b"probe.timeout_s" + b".a" * 1500 + b" = 1\n"
    places = (
        "gpu-box 10.0.0.5:8188 [fe80::1%25eth0]:8188/base https://user:secret@h/ fe80::1%eth0 b\u00fccher.de:1 [::1]/a"
    )
    for number, place in enumerate(places.split()):
        yield f"place-{number}", f"place:{place}".encode()
    yield "ports", b"ports: 8000 - 8200 "
