"""What an mDNS packet says, as values; and whether a datagram is one at all (RFC 1035 section 4, RFC 6762)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33

#: Octets of a whole message (RFC 6762 section 17).
SIZE_LIMIT = 9000
RECORD_LIMIT = 512  # in one packet: as many as 9000 octets hold of what we read
_HEADER = 12
_COUNTS = struct.Struct(">4H")
_POINTER = 0xC0
_NAME_LIMIT = 255  # octets (RFC 1035 section 2.3.4)
_CHAIN_LIMIT = 127  # pointers that lead to each other: as many as a name has labels


class Record(NamedTuple):
    """One resource record. (A tuple, since a large LAN says thousands of them at once.)

    ``ttl_s`` 0 is a goodbye (RFC 6762 section 10.1). With ``flush`` it replaces older ones of its name and type on its
    link (section 10.2). ``data`` is the address of A and AAAA, the instance of PTR, the octets of TXT, and the host and
    port of SRV.
    """

    name: str
    type: int
    ttl_s: int
    flush: bool
    data: str | bytes | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """The records of one packet, the address that it came from, and the interface that leads there."""

    source: str
    link: str
    records: tuple[Record, ...]


def is_answer(data: bytes) -> bool:
    """Whether it is an mDNS response; with operation or response codes it is to be ignored (RFC 6762 §18)."""
    return len(data) >= _HEADER and data[2] & 0xF8 == 0x80 and data[3] & 0x0F == 0


def well_formed(data: bytes) -> bool:
    """Whether every record that the header promises is there.

    A compressed name must point back, to what stands before it, as must what it points at: so names can neither loop
    nor grow without bound.
    """
    if len(data) < _HEADER:
        return False
    questions, *records = _COUNTS.unpack_from(data, 4)
    if questions + sum(records) > RECORD_LIMIT:
        return False
    at, end = _HEADER, len(data)
    sizes: dict[int, int] = {}
    try:
        for _ in range(questions):
            at = _after_name(data, at, sizes) + 4
        for _ in range(sum(records)):
            to = (data[at] & 0x3F) << 8 | data[at + 1]
            if data[at] >= _POINTER and to in sizes:  # most names are one pointer to a name that was read
                sizes[at] = sizes[to]
                at += 12
            else:
                at = _after_name(data, at, sizes) + 10
            at += data[at - 2] << 8 | data[at - 1]
            if at > end:
                return False
    except (IndexError, ValueError):
        return False
    return at <= end


def _after_name(data: bytes, start: int, sizes: dict[int, int], depth: int = 0) -> int:
    """Return where the name that begins at ``start`` ends.

    :param sizes: octets of the name that begins at each label that was read: none is read twice.
    :raises ValueError: it is none.
    :raises IndexError: it is cut.
    """
    at, end, rest = start, 0, 1
    labels = [start]
    while length := data[at]:
        if length >= _POINTER:
            to, end = (length & 0x3F) << 8 | data[at + 1], at + 2
            if to >= start or depth > _CHAIN_LIMIT:
                raise ValueError
            if to not in sizes:
                _after_name(data, to, sizes, depth + 1)
            rest = sizes[to]
            break
        at += 1 + length
        if length > 63 or at - start >= _NAME_LIMIT:
            raise ValueError
        labels.append(at)
    if at - start + rest > _NAME_LIMIT:
        raise ValueError
    for label in labels:
        sizes[label] = at - label + rest
    return end or at + 1
