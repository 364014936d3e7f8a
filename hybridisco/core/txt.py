"""TXT records: the wire format of an announcement (RFC 6763 section 6).

Encoding is strict, because we are responsible for what we say. Decoding is lenient, because we are not
responsible for what others say: unknown keys are ignored, and a value that cannot be right is dropped and
counted, never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hybridisco.core import safe
from hybridisco.core.errors import AnnounceError

T = TypeVar("T")

SERVICE_TYPE = "_hybridisco._tcp.local."

#: Octets of all strings with their length octets. A whole announcement then fits one Ethernet frame
#: together with its PTR, SRV and address records (RFC 6763 section 6.2 asks for 400 at the most).
SIZE_LIMIT = 400
_STRING_LIMIT = 255  # one length octet (RFC 6763 section 6.1)

AUTHS = ("none", "key", "login")
STATES = ("ready", "busy", "starting")
_CAPABILITY_LIMIT = 12


@dataclass(frozen=True, slots=True)
class TxtRecord:
    """What an announcement says. Every field may be unknown; ``vram`` is in MiB."""

    id: str | None = None
    kind: str | None = None
    version: str | None = None
    path: str = "/"
    tls: bool = False
    auth: str | None = None
    state: str | None = None
    capabilities: tuple[str, ...] = ()
    gpu: str | None = None
    vram: int | None = None


def encode(record: TxtRecord) -> dict[str, str]:
    """Return the keys and values to publish, ``txtvers`` first (RFC 6763 section 6.7).

    Keys that say nothing new (``path=/``, no TLS) are left out. Where all would not fit into
    :data:`SIZE_LIMIT`, ``gpu``, ``cap`` and ``ver`` are left out in this order: they are known again after
    the first contact.

    :raises AnnounceError: a value that :func:`decode` would refuse, or a record that cannot be made to fit.
    """
    if record.path != "/" and safe.path(record.path) is None:
        raise AnnounceError(
            f"The base path {record.path!r} cannot be announced: it must be a plain absolute path of at most "
            f"{safe.PATH_LIMIT} characters, such as /comfyui. Set it with --path."
        )
    pairs = {
        "txtvers": "1",
        "id": record.id,
        "kind": record.kind,
        "ver": safe.text(record.version, safe.VERSION_LIMIT),
        "path": None if record.path == "/" else record.path,
        "tls": "1" if record.tls else None,
        "auth": record.auth,
        "st": record.state,
        "cap": ",".join(record.capabilities) or None,
        "gpu": safe.text(record.gpu),
        "vram": None if record.vram is None else str(record.vram),
    }
    said = {key: value for key, value in pairs.items() if value is not None}
    for expendable in ("gpu", "cap", "ver"):
        if size(said) <= SIZE_LIMIT:
            break
        said.pop(expendable, None)
    if size(said) > SIZE_LIMIT or any(_octets(key, value) > _STRING_LIMIT for key, value in said.items()):
        raise AnnounceError(f"The TXT record has {size(said)} octets, more than the {SIZE_LIMIT} allowed.")
    return said


def size(pairs: Mapping[str, str]) -> int:
    """Return the octets that ``pairs`` take on the wire: each string and its length octet."""
    return sum(1 + _octets(key, value) for key, value in pairs.items())


def _octets(key: str, value: str) -> int:
    return len(f"{key}={value}".encode())


def decode(properties: Mapping[bytes, bytes | None]) -> tuple[TxtRecord, int]:
    """Return what ``properties`` say, and how many values had to be dropped.

    Keys are compared without regard to case (RFC 6763 section 6.4); of a key given twice the caller's
    parser keeps the first. A record of another ``txtvers`` is read all the same: keys keep their meaning.
    """
    said: dict[str, str] = {}
    dropped = 0
    for raw_key, raw_value in properties.items():
        try:
            key, value = raw_key.decode("ascii").lower(), (raw_value or b"").decode("utf-8")
        except UnicodeDecodeError:
            dropped += 1
            continue
        if key in _KNOWN and value:
            said.setdefault(key, value)

    def take(key: str, wash: Callable[[str], T | None]) -> T | None:
        nonlocal dropped
        if key not in said:
            return None
        value = wash(said[key])
        dropped += value is None
        return value

    record = TxtRecord(
        id=take("id", safe.service_id),
        kind=take("kind", safe.kind_id),
        version=take("ver", lambda v: safe.text(v, safe.VERSION_LIMIT)),
        path=take("path", safe.path) or "/",
        tls=bool(take("tls", lambda v: {"1": True, "0": False}.get(v))),
        auth=take("auth", lambda v: v if v in AUTHS else None),
        state=take("st", lambda v: v if v in STATES else None),
        capabilities=take("cap", _capabilities) or (),
        gpu=take("gpu", safe.text),
        vram=take("vram", lambda v: safe.whole(v, 1, 16 * 1024 * 1024)),
    )
    return record, dropped


_KNOWN = frozenset({"txtvers", "id", "kind", "ver", "path", "tls", "auth", "st", "cap", "gpu", "vram"})


def _capabilities(value: str) -> tuple[str, ...] | None:
    """Return the comma list as a tuple without repetitions, or None if no item is a plain word."""
    words = dict.fromkeys(safe.kind_id(word) for word in value.split(",")[:_CAPABILITY_LIMIT])
    return tuple(word for word in words if word) or None
