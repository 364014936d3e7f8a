"""The few DNS messages that the doctor needs (RFC 1035, RFC 6762): one question, and the TXT records of an answer.

Strict and small: what is not whole is not read. The echo that sidecars answer is asked for here, too.
"""

from __future__ import annotations

import re
import secrets
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from hybridisco.core import safe
from hybridisco.core.txt import SERVICE_TYPE

TXT, PTR, IN = 16, 12, 1
_RESPONSE = 0x8000  # the QR bit
_CLASS = 0x7FFF  # the top bit says "cache flush", or "answer by unicast"
_HEADER = struct.Struct("!6H")
_FIXED = struct.Struct("!HHIH")  # type, class, TTL, length
_POINTER = 0xC0
_NAME_LIMIT = 255  # octets (RFC 1035 section 2.3.4)
_RECORD_LIMIT = 64  # records of one message that are looked at

_ECHO = f"_echo.{SERVICE_TYPE}"
_NONCE = re.compile(rf"([0-9a-f]{{16}})\.{re.escape(_ECHO)}", re.IGNORECASE)
_SERVICES = "_services._dns-sd._udp.local."


@dataclass(frozen=True, slots=True)
class Message:
    """A message as far as it concerns us: names asked for, and TXT records by name."""

    response: bool
    questions: tuple[str, ...] = ()
    texts: tuple[tuple[str, tuple[str, ...]], ...] = ()


def new_nonce() -> str:
    """Return 16 hex digits that nobody can guess."""
    return secrets.token_hex(8)


def echo_question(nonce: str) -> bytes:
    """Return the question that a sidecar answers twice: by multicast, and to the asker."""
    return _query((f"{nonce}.{_ECHO}", TXT))


def any_responder_question(address: str) -> bytes:
    """Return a question that whoever has port 5353 at ``address`` can answer: its services, and its own name."""
    own = ip_address(address.partition("%")[0]).reverse_pointer
    return _query((_SERVICES, PTR), (own, PTR))


def _query(*questions: tuple[str, int]) -> bytes:
    packed = [_HEADER.pack(0, 0, len(questions), 0, 0, 0)]
    for name, record_type in questions:
        labels = [label.encode() for label in name.rstrip(".").split(".")]
        packed += [bytes([len(label)]) + label for label in labels]
        packed.append(b"\0" + struct.pack("!HH", record_type, IN))
    return b"".join(packed)


def nonce_of(name: str) -> str | None:
    """Return the nonce in the name of an echo, or None if it is another name."""
    match = _NONCE.fullmatch(name)
    return match[1].lower() if match else None


def pairs(strings: tuple[str, ...]) -> dict[str, str]:
    """Return the keys and values of a TXT record, made safe to show."""
    split = (string.partition("=") for string in strings)
    return {key: safe.text(value) or "" for key, _, value in split}


def read(packet: bytes) -> Message | None:
    """Return what a packet says, or None if it is no whole DNS message. Never raises, whatever it gets."""
    try:
        return _read(packet)
    except (struct.error, IndexError, UnicodeDecodeError, ValueError):
        return None


def _read(packet: bytes) -> Message:
    _, flags, questions, *sections = _HEADER.unpack_from(packet)
    at = _HEADER.size
    names = []
    for _ in range(min(questions, _RECORD_LIMIT)):
        name, at = _name(packet, at)
        names.append(name)
        at += 4
    texts = []
    for _ in range(min(sum(sections), _RECORD_LIMIT)):
        name, at = _name(packet, at)
        record_type, record_class, _, length = _FIXED.unpack_from(packet, at)
        at += _FIXED.size
        if at + length > len(packet):
            raise ValueError("cut short")
        if record_type == TXT and record_class & _CLASS == IN:
            texts.append((name, _strings(packet[at : at + length])))
        at += length
    return Message(bool(flags & _RESPONSE), tuple(names), tuple(texts))


def _name(packet: bytes, at: int) -> tuple[str, int]:
    """Return the name at ``at``, and where it ends. A pointer leads backwards only, so that there is no loop."""
    labels: list[str] = []
    end = None
    size = 0
    while length := packet[at]:
        if length & _POINTER == _POINTER:
            target = (length & ~_POINTER) << 8 | packet[at + 1]
            if target >= at:
                raise ValueError("a pointer must lead backwards")
            end = at + 2 if end is None else end
            at = target
            continue
        if length & _POINTER or at + 1 + length > len(packet):
            raise ValueError("not a label")
        size += length + 1
        if size > _NAME_LIMIT:
            raise ValueError("a name that is too long")
        labels.append(packet[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return "".join(f"{label}." for label in labels), at + 1 if end is None else end


def _strings(data: bytes) -> tuple[str, ...]:
    strings, at = [], 0
    while at < len(data):
        strings.append(data[at + 1 : at + 1 + data[at]].decode(errors="replace"))
        at += 1 + data[at]
    return tuple(strings)
