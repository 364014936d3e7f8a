"""The edge: text, paths, addresses and numbers from the network become harmless and bounded here, once.

Whatever passed through these functions may be printed on a terminal, written into JSON or a log, or shown
in Blender without a second look.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

NAME_LIMIT = 80  # characters; an instance name has at most 63 bytes (RFC 6763 section 4.1.1)
VERSION_LIMIT = 40
PATH_LIMIT = 100
HOST_LIMIT = 253  # octets of a domain name (RFC 1035 section 2.3.4)

# Unicode categories that a name has no use for: control (C0, C1), format (bidi, zero-width), surrogate,
# private use, unassigned, and the line and paragraph separators.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that no font draws, fillers of Hangul and Khmer and variation selectors among them (Unicode's
# Default_Ignorable_Code_Point), and the Braille blank: names may not differ only in what nobody sees.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)
_MARKS_IN_A_ROW = 3  # more combining marks than any script stacks ("zalgo")

#: Ports of programs that a stray GET may disturb (a printer prints it) or that are never a backend's: nobody may send
#: us there. Browsers refuse most of them as well.
FOREIGN_PORTS = frozenset(
    {
        1,
        7,
        9,
        13,
        19,
        20,
        21,
        22,
        23,
        25,
        37,
        53,
        69,
        79,
        87,
        109,
        110,
        111,
        113,
        119,
        123,
        135,
        137,
        139,
        143,
        161,
        179,
    }
    | {
        389,
        427,
        445,
        465,
        512,
        513,
        514,
        515,
        526,
        530,
        531,
        532,
        540,
        548,
        554,
        556,
        563,
        587,
        601,
        631,
        636,
        993,
        995,
    }
    | {1719, 1720, 1723, 2049, 3389, 3659, 4045, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6697}
    | set(range(9100, 9108))
)

_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+/?|/")
# What is announced becomes part of our requests: no characters that a shell, a CGI script or a proxy might interpret.
_ANNOUNCED_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,4}/?|/")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_-]{1,63})*\.?")
_SERVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGITS = re.compile(r"\d{1,15}")
_KIND = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def text(value: object, limit: int = NAME_LIMIT) -> str | None:
    """Return ``value`` as one clean line of at most ``limit`` characters, or None if nothing is left.

    >>> text("Comfy\\x1b[31mUI\\u202e  on\\nbox")
    'Comfy[31mUI on box'
    """
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isprintable() and len(value) <= limit:
        return " ".join(value.split()) or None  # nothing in it is strange
    seen = [" " if char.isspace() else char for char in value[: limit * 8]]
    seen = [char for char in seen if unicodedata.category(char) not in _UNWANTED and char not in _INVISIBLE]
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", "".join(seen)):
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(char)
    # Once more: what stood on both sides of a mark that is left out may belong together.
    line = " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return line or None


def path(value: object) -> str | None:
    """Return ``value`` if it is a plain absolute path, without a slash at its end, else None.

    Never a host, a URL, a query or ``..``.
    """
    if not isinstance(value, str) or len(value) > PATH_LIMIT or not _PATH.fullmatch(value):
        return None
    segments = value.split("/")
    return None if ".." in segments or "." in segments else value.rstrip("/") or "/"


def announced_path(value: object) -> str | None:
    """Return ``value`` if it is a path that an announcement may name: at most four plain segments."""
    return path(value) if isinstance(value, str) and _ANNOUNCED_PATH.fullmatch(value) else None


def host(value: object) -> str | None:
    """Return ``value`` as a lower-case host name without a trailing dot, or None if it is not one."""
    if not isinstance(value, str) or len(value) > HOST_LIMIT or not _HOST.fullmatch(value):
        return None
    return value.rstrip(".").lower()


def service_id(value: object) -> str | None:
    """Return ``value`` if it can be a service id (ours have 26 characters of base32; others may differ)."""
    return value if isinstance(value, str) and _SERVICE_ID.fullmatch(value) else None


def kind_id(value: object) -> str | None:
    """Return ``value`` as a kind's id (lower-case letters, digits, hyphens), or None."""
    if not isinstance(value, str):
        return None
    lowered = value.strip().lower()
    return lowered if _KIND.fullmatch(lowered) else None


def whole(value: object, low: int, high: int) -> int | None:
    """Return ``value`` as an integer within bounds, or None (floats are cut, NaN and infinity refused)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value)
    return value if isinstance(value, int) and low <= value <= high else None


@lru_cache(maxsize=4096)
def announced_address(value: str) -> str | None:
    """Return an address that an announcement may name, in canonical form without zone, or None.

    Refused: loopback, unspecified, multicast, and IPv4 link-local, where cloud machines keep their metadata
    service (169.254.169.254). An IPv4-mapped IPv6 address is judged as the IPv4 address that it is.
    """
    try:
        address = ip_address(value.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    refused = address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved
    if refused or (address.version == 4 and address.is_link_local):
        return None
    return str(address)
