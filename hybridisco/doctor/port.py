"""Gathers who has UDP port 5353, and whether it can be shared."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from hybridisco.doctor.facts import Family, Port, PortHolder
from hybridisco.doctor.firewall.model import MDNS_PORT

_TABLES: tuple[tuple[str, str], ...] = (("udp", "ipv4"), ("udp6", "ipv6"))


def gather() -> Port:
    """Return whether the port can be shared, and with whom it is."""
    kinds: tuple[tuple[Family, socket.AddressFamily], ...] = (("ipv4", socket.AF_INET), ("ipv6", socket.AF_INET6))
    holders = _holders()  # before we take it ourselves
    errors = []
    for family, number in kinds:
        try:
            sock = socket.socket(number, socket.SOCK_DGRAM)
        except OSError:
            continue  # no IPv6: that is told elsewhere
        with sock:
            try:
                share(sock)
                sock.bind(("", MDNS_PORT))
            except OSError as error:
                errors.append((family, errno.errorcode.get(error.errno or 0, str(error))))
    return Port(tuple(errors), holders)


def share(sock: socket.socket) -> None:
    """Let other programs have the same port (RFC 6762 section 15.1)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        with suppress(OSError):  # a kernel that has the name, but not the option
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _holders() -> tuple[PortHolder, ...] | None:
    """Return the programs that have the port, or None where the system does not tell (not Linux)."""
    if sys.platform != "linux":
        return None
    sockets: dict[str, str] = {}
    for table, family in _TABLES:
        with suppress(OSError):
            sockets.update(holders_in(Path("/proc/net", table).read_text(encoding="ascii"), family))
    owners = dict(_owners(frozenset(sockets))) if sockets else {}
    found = []
    for inode, address in sockets.items():
        program, pid = owners.get(inode, (None, None))
        if pid != os.getpid():
            found.append(PortHolder(program, pid, address))
    return tuple(dict.fromkeys(found))


def holders_in(table: str, family: str) -> Iterator[tuple[str, str]]:
    """Yield inode and local address of each socket on the port in ``/proc/net/udp`` or ``udp6`` (proc(5))."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10:
            continue
        address, _, port = fields[1].partition(":")
        if int(port, 16) == MDNS_PORT:
            yield fields[9], _address(address, family)


def _address(digits: str, family: str) -> str:
    """Return an address as people know it; the kernel writes each 32-bit word in the machine's byte order."""
    words = [bytes.fromhex(digits[at : at + 8]) for at in range(0, len(digits), 8)]
    raw = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return str(ip_address(raw)) if len(raw) == (4 if family == "ipv4" else 16) else digits


def _owners(inodes: frozenset[str]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield for each socket the program that has it, as far as we may look."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    inode = wanted.get(str(descriptor.readlink()))
                    if inode is not None:
                        yield inode, (_name(process), int(process.name))
        except OSError:  # ended meanwhile, or another user's
            continue


def _name(process: Path) -> str:
    """Return what a program is called; for an interpreter, what it runs."""
    name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    words = (process / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    if name.startswith("python") and len(words) > 1:
        script = next((word for word in words[1:] if word and not word.startswith("-")), "")
        return f"{name} {Path(script).name}".strip() if len(script) < 100 else name
    return name
