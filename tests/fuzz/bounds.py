"""What must hold of everything that was made safe: shared by all targets.

It is said here in other words than in :mod:`hybridisco.core.safe`, so that a slip there is not repeated here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from ipaddress import ip_address

from hybridisco.core import safe
from hybridisco.core.model import Announcement, Endpoint, Finding, Properties

_LARGEST = 2**63  # what every JSON reader, database and printf takes
_PATH = re.compile(r"/([A-Za-z0-9._~!$&'()*+,;=:@%-]+(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*)?", re.ASCII)
_WORD = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HOST = re.compile(r"[a-z0-9_.-]{1,253}", re.ASCII)


def clean(text: str | None, limit: int = safe.NAME_LIMIT) -> None:
    """One line without anything that is not seen: no control, bidi, private or unassigned characters."""
    if text is None:
        return
    assert 0 < len(text) <= limit, f"{len(text)} characters of {limit}"
    printable(text)
    assert text == text.strip() and "  " not in text, ascii(text)
    assert safe.text(text, limit) == text, f"made safe twice it changes: {text!a}"
    text.encode()


def printable(text: str) -> None:
    """For messages to people: no character that a terminal obeys or that hides others."""
    odd = [char for char in text if unicodedata.category(char)[0] == "C" or unicodedata.category(char) in ("Zl", "Zp")]
    assert not odd, f"unprintable: {odd[:10]!a} in {ascii(text)[:200]}"


def word(text: str | None) -> None:
    """A kind, a capability."""
    assert text is None or _WORD.fullmatch(text), ascii(text)


def service_id(text: str | None) -> None:
    """The id of a service."""
    assert text is None or _ID.fullmatch(text), ascii(text)


def path(text: str) -> None:
    """A base path."""
    assert _PATH.fullmatch(text) and len(text) <= safe.PATH_LIMIT, ascii(text)
    assert not {"..", "."} & set(text.split("/")), text


def properties(pairs: Properties) -> None:
    """Facts of a service."""
    assert len(pairs) <= 40 and len(dict(pairs)) == len(pairs)
    for name, value in pairs:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name), name
        if isinstance(value, str):
            clean(value)
        else:
            assert isinstance(value, int | float) and math.isfinite(value) and abs(value) < _LARGEST, value


def endpoint(it: Endpoint) -> None:
    """A place that may be dialled because somebody announced it."""
    address = ip_address(it.address)
    assert str(address) == it.address
    assert not (address.is_loopback or address.is_unspecified or address.is_multicast), it.address
    assert 0 < it.port < 65536
    path(it.path)
    assert it.url.isascii() and len(it.url) < 300


def finding(it: Finding) -> None:
    """What a look gave."""
    word(it.kind)
    word(it.family)
    clean(it.version, safe.VERSION_LIMIT)
    assert it.cause is None or re.fullmatch(r"[a-z0-9 -]{1,40}", it.cause), it.cause
    for capability in it.capabilities:
        word(capability)
    properties(it.properties)


def announcement(it: Announcement) -> None:
    """What a source emits."""
    assert 0 < len(it.endpoints) <= 8
    for each in it.endpoints:
        endpoint(each)
    word(it.kind)
    service_id(it.id)
    clean(it.name)
    assert it.host is None or _HOST.fullmatch(it.host), it.host
    clean(it.version, safe.VERSION_LIMIT)
    assert it.auth in (None, "none", "key", "login")
    assert it.state in (None, "ready", "busy", "starting")
    assert len(it.capabilities) <= 12
    for capability in it.capabilities:
        word(capability)
    properties(it.properties)
    assert it.signer is None or len(it.signer) <= 44
