"""TXT records: the wire format of an announcement (RFC 6763 section 6).

Encoding is strict, because we are responsible for what we say. Decoding is lenient, because we are not
responsible for what others say: unknown keys are ignored, and a value that cannot be right is dropped and
counted, never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hybridisco.core import safe
from hybridisco.core.errors import AnnounceError

SERVICE_TYPE = "_hybridisco._tcp.local."

#: Octets of all strings with their length octets. A whole announcement then fits one Ethernet frame
#: together with its PTR, SRV and address records (RFC 6763 section 6.2 asks for 400 at the most).
SIZE_LIMIT = 400
_STRING_LIMIT = 255  # one length octet (RFC 6763 section 6.1)

AUTHS = ("none", "key", "login")
STATES = ("ready", "busy", "starting")
_CAPABILITY_LIMIT = 12
_VRAM_LIMIT = 16 * 1024 * 1024  # MiB


@dataclass(frozen=True, slots=True)
class TxtRecord:
    """What an announcement says. Every field may be unknown; ``vram`` is in MiB.

    ``live`` is a TCP port at which clients notice that the sidecar has ended.
    """

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
    live: int | None = None


#: What a sidecar says to whoever connects to its port ``live``, so that nobody holds a connection to something else.
LIVE_GREETING = b"HYBRIDISCO LIVE 1\n"

#: Octets that a signature takes: its four keys, and up to three addresses of IPv4 and four of IPv6.
SIGNATURE_ROOM = 48 + 14 + 79 + 91


def encode(record: TxtRecord, *, signed: bool = False) -> dict[str, str]:
    """Return the keys and values to publish, ``txtvers`` first (RFC 6763 section 6.7).

    Keys that say nothing new (``path=/``, no TLS) are left out. Where all would not fit into
    :data:`SIZE_LIMIT`, ``gpu``, ``cap`` and ``ver`` are left out in this order: they are known again after
    the first contact.

    :param signed: leave room for a signature.
    :raises AnnounceError: a value that :func:`decode` would refuse.
    """
    pairs = {
        "txtvers": "1",
        "id": record.id,
        "kind": record.kind,
        "ver": safe.text(record.version, safe.VERSION_LIMIT),
        "path": record.path.rstrip("/") or None,
        "tls": "1" if record.tls else None,
        "auth": record.auth,
        "st": record.state,
        "cap": ",".join(record.capabilities) or None,
        "gpu": safe.text(record.gpu),
        "vram": None if record.vram is None else str(record.vram),
        "live": None if record.live is None else str(record.live),
    }
    said = {key: value for key, value in pairs.items() if value is not None}
    for key, allowed in _ALLOWED.items():
        if key in said and _written(_WASHES[key](said[key])) != said[key]:
            raise AnnounceError(f"{key}={said[key]} cannot be announced: it must be {allowed}.")
    room = SIZE_LIMIT - (SIGNATURE_ROOM if signed else 0)
    for expendable in _EXPENDABLE:
        if size(said) > room or _octets(expendable, said.get(expendable, "")) > _STRING_LIMIT:
            said.pop(expendable, None)
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
    known: dict[str, Any] = {}
    dropped = 0
    for raw_key, raw_value in properties.items():
        try:
            key, value = raw_key.decode("ascii").lower(), (raw_value or b"").decode("utf-8")
        except UnicodeDecodeError:
            dropped += 1
            continue
        if value and key in _WASHES and key not in known:
            known[key] = _washed(key, value)
    record = TxtRecord(
        id=known.get("id"),
        kind=known.get("kind"),
        version=known.get("ver"),
        path=known.get("path") or "/",
        tls=bool(known.get("tls")),
        auth=known.get("auth"),
        state=known.get("st"),
        capabilities=known.get("cap") or (),
        gpu=known.get("gpu"),
        vram=known.get("vram"),
        live=known.get("live"),
    )
    return record, dropped + list(known.values()).count(None)


@lru_cache(maxsize=1024)  # the services of a LAN have most of their values in common
def _washed(key: str, value: str) -> Any:
    return _WASHES[key](value)


def _written(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _capabilities(value: str) -> tuple[str, ...] | None:
    """Return the comma list as a tuple without repetitions, or None if no item is a plain word."""
    words = dict.fromkeys(safe.kind_id(word) for word in value.split(",")[:_CAPABILITY_LIMIT])
    return tuple(word for word in words if word) or None


#: How the value of each key is read; None stands for one that cannot be right.
_WASHES: dict[str, Callable[[str], Any]] = {
    "id": safe.service_id,
    "kind": safe.kind_id,
    "ver": lambda v: safe.text(v, safe.VERSION_LIMIT),
    "path": safe.announced_path,
    "tls": lambda v: {"1": True, "0": False}.get(v),
    "auth": lambda v: v if v in AUTHS else None,
    "st": lambda v: v if v in STATES else None,
    "cap": _capabilities,
    "gpu": safe.text,
    "vram": lambda v: safe.whole(v, 1, _VRAM_LIMIT),
    "live": lambda v: safe.whole(v, 1, 65535),
}
#: What we ourselves may say; texts are cleaned instead of refused.
_ALLOWED = {
    "id": "1 to 64 letters, digits, dots, hyphens and underscores",
    "kind": "up to 32 lower-case letters, digits and hyphens, such as comfyui",
    "path": f"at most four plain segments and {safe.PATH_LIMIT} characters, such as /comfyui",
    "auth": f"one of {', '.join(AUTHS)}",
    "st": f"one of {', '.join(STATES)}",
    "cap": f"at most {_CAPABILITY_LIMIT} different words of lower-case letters, such as image,video",
    "vram": f"MiB, from 1 to {_VRAM_LIMIT}",
    "live": "a port",
}
#: Keys that are left out, in this order, when the record would be too large.
_EXPENDABLE = ("gpu", "cap", "ver")
