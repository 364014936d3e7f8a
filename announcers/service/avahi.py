"""A static service file for Avahi: for boxes that cannot run Python, but run avahi-daemon as most Linux machines do.

Avahi names all services of one file alike, and two services of one type may not have one name. So every backend has
a file of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from hybridisco import SERVICE_TYPE, TxtRecord, UsageError, encode_txt

FOLDER = "/etc/avahi/services"
HOST = "%h"  # Avahi puts the host's name here

_TYPE = SERVICE_TYPE.removesuffix(".local.")
_NAME_LIMIT = 63  # octets of an instance name (RFC 6763 section 4.1.1)


@dataclass(frozen=True, slots=True)
class StaticEntry:
    """One backend. ``%h`` in ``name`` stands for the host's name; ``record`` says its kind."""

    name: str
    port: int
    record: TxtRecord

    @property
    def file_name(self) -> str:
        """The usual name of its file in ``/etc/avahi/services``."""
        return f"hybridisco-{self.record.kind}-{self.port}.service"


def avahi_xml(entry: StaticEntry) -> str:
    """Return the file's text, valid against Avahi's DTD.

    :raises UsageError: the name, the port or the kind cannot be announced.
    :raises AnnounceError: a value of the record cannot be announced.
    """
    _check(entry)
    wildcards = ' replace-wildcards="yes"' if HOST in entry.name else ""
    records = [f"    <txt-record>{escape(f'{key}={value}')}</txt-record>" for key, value in _txt(entry.record)]
    return "\n".join(
        (
            '<?xml version="1.0" standalone="no"?>',
            '<!DOCTYPE service-group SYSTEM "avahi-service.dtd">',
            f"<!-- Put it into {FOLDER}/{entry.file_name}; Avahi reads it at once. -->",
            "<service-group>",
            f"  <name{wildcards}>{escape(entry.name)}</name>",
            "  <service>",
            f"    <type>{_TYPE}</type>",
            f"    <subtype>_{entry.record.kind}._sub.{_TYPE}</subtype>",
            f"    <port>{entry.port}</port>",
            *records,
            "  </service>",
            "</service-group>",
            "",
        )
    )


def _txt(record: TxtRecord) -> tuple[tuple[str, str], ...]:
    return tuple(encode_txt(record).items())


def _check(entry: StaticEntry) -> None:
    if entry.record.kind is None:
        raise UsageError("A static service must say its kind. Give it, for example comfyui.")
    if not 1 <= entry.port <= 65535:
        raise UsageError(f"{entry.port} is no port. Give one from 1 to 65535.")
    if not entry.name or not entry.name.isprintable():
        raise UsageError(f"{ascii(entry.name)[:60]} is no name to announce. Give one of printable characters.")
    if len(entry.name.replace(HOST, "").encode()) > _NAME_LIMIT:
        raise UsageError(f"The name {entry.name[:30]}… has more than {_NAME_LIMIT} bytes. Give a shorter one.")
