"""Peers that are programs: nmap, avahi-browse, a C loop, and Python doing next to nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Contender, Sample
from bench.program import program
from hybridisco import SERVICE_TYPE
from tests.lab.avahi import parse_browse
from tests.lab.net import Host, python

BROWSED = SERVICE_TYPE.removesuffix(".local.")

_ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--json", action="store_true", help="print JSON")
parser.parse_args(["--help"])
"""
_CONNECTS = """
import socket, sys
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    for port in map(int, sys.argv[1:]):
        with socket.socket(family) as sock:
            sock.setblocking(False)
            sock.connect_ex((address, port)) and sock.connect_ex((address, port))
"""


def nmap(host: Host, ports: Sequence[int], how: str = "-sT") -> Contender:
    """Scan both loopback addresses: one process for each family, as nmap has it."""
    options = [how, "-Pn", "-n", "-p", ",".join(map(str, sorted(ports)))]
    return program(host, ["nmap", *options, "127.0.0.1"], ["nmap", "-6", *options, "::1"])


def c_loop(host: Host, ports: Sequence[int]) -> Contender:
    """Connect to each, one after the other, in C; the time is the loop's, not the program's."""
    binary = host.directory / "c_loop"
    subprocess.run(["cc", "-O2", "-o", binary, Path(__file__).with_name("c_loop.c")], check=True, capture_output=True)

    def read(output: str) -> Sample:
        took, found = output.split()
        return {"ms": float(took), "open": float(found)}

    return program(host, [str(binary), *map(str, ports)], read=read)


def python_pass(host: Host) -> Contender:
    """Start Python and end."""
    return program(host, python("-c", "pass"))


def python_connects(host: Host, ports: Sequence[int]) -> Contender:
    """Start Python, connect to each port, and end."""
    return program(host, python("-c", _CONNECTS, *map(str, ports)))


def python_imports(host: Host, what: str) -> Contender:
    """Start Python, import something, and end."""
    return program(host, python("-c", f"import {what}"))


def argparse_help(host: Host) -> Contender:
    """The help of a small program."""
    return program(host, python("-c", _ARGPARSE))


def bus_of(host: Host) -> str:
    """Return the address of the bus that a host's :class:`~tests.lab.avahi.Avahi` has."""
    return f"unix:path={host.directory / 'avahi' / 'bus'}"


def avahi_browse(host: Host) -> Contender:
    """Browse and resolve, by the Avahi of the same host."""

    def read(output: str) -> Sample:
        return {"found": float(len({record.name for record in parse_browse(output, resolve=True)}))}

    return program(host, ["avahi-browse", "-rpt", BROWSED], env={"DBUS_SYSTEM_BUS_ADDRESS": bus_of(host)}, read=read)
