"""Several hosts on one machine: network namespaces, joined by bridges that live in a namespace of their own.

    with Lab() as lab:
        a, b = lab.host("a"), lab.host("b")
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        lan.join(a)                                     # both families
        lan.join(b, ipv4=False, ipv6="link-local")      # only fe80::…%eth0
        b.run(python("-m", "hybridisco", "list", "--json"))

A host has its own interfaces, host name, ``/etc/hosts``, ``/etc/machine-id`` and home folder; it shares the
rest of the file system. Nothing in it reaches the machine's own network. When ``join`` returns, the link is
up and no address is tentative. Everything is removed at the end of the ``with`` block.
"""

from __future__ import annotations

import functools
import ipaddress
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from . import netns
from .host import Host, python
from .interface import Interface
from .wait import LabError

__all__ = ["Host", "Interface", "Lab", "LabError", "Lan", "lab_available", "python"]


@functools.cache
def lab_available() -> str | None:
    """Why no lab can be made here, or None when it can; found out by making one."""
    if sys.platform != "linux":
        return "network namespaces are a Linux feature"
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "unshare"):
        if shutil.which(program) is None:
            return f"the program {program} is not installed (Debian: iproute2, util-linux)"
    try:
        with Lab() as lab:
            host = lab.host("probe")
            lab.lan("10.77.0.0/24").join(host)
            host.run(["true"])
    except (LabError, OSError, subprocess.SubprocessError) as error:
        return f"no network namespace can be made: {error}"
    return None


class Lan:
    """One network: a bridge that floods all multicast, as a plain switch does."""

    def __init__(self, lab: Lab, number: int, ipv4: str | None, ipv6: str | None) -> None:
        self.lab = lab
        self.number = number
        self.ipv4 = ipaddress.IPv4Network(ipv4) if ipv4 else None
        self.ipv6 = ipaddress.IPv6Network(ipv6) if ipv6 else None
        self._bridge = f"br{number}"
        self._members = itertools.count(1)
        kind = "type bridge mcast_snooping 0 stp_state 0 forward_delay 0"
        netns.ip_batch(lab.switch, f"link add {self._bridge} {kind}", f"link set {self._bridge} up")

    def join(
        self,
        host: Host,
        *,
        ipv4: bool = True,
        ipv6: bool | Literal["link-local"] = True,
        gateway: bool = False,
    ) -> Interface:
        """Give ``host`` its next card (eth0, eth1, …) on this LAN and wait until it is ready.

        The n-th host to join has the n-th address of each subnet. ``ipv6=False`` leaves not even a link-local
        address. ``gateway`` sets an IPv4 default route by the subnet's last address, where nobody lives.
        """
        member = next(self._members)
        name, port = f"eth{len(host.interfaces)}", f"{self._bridge}p{member}"
        mac = f"02:00:00:{self.number:02x}:{member >> 8:02x}:{member & 0xFF:02x}"
        peer = f"peer name {name} address {mac} netns {host.namespace}"
        commands = (f"link add {port} type veth {peer}", f"link set {port} master {self._bridge} up")
        netns.ip_batch(self.lab.switch, *commands)
        if not ipv6:
            host.disable_ipv6(name)
        given = []
        if ipv4 and self.ipv4:
            given.append(f"{self.ipv4[member]}/{self.ipv4.prefixlen}")
        if ipv6 is True and self.ipv6:
            given.append(f"{self.ipv6[member]}/{self.ipv6.prefixlen}")
        router = str(self.ipv4[-2]) if gateway and ipv4 and self.ipv4 else None
        interface = Interface(host, name, port, given, router)
        host.interfaces.append(interface)
        interface.up()
        return interface


class Lab:
    """The lab itself: a context manager that owns hosts, LANs, their processes and files."""

    def __init__(self) -> None:
        self.hosts: list[Host] = []
        self.namespaces: list[str] = []
        self._lans = itertools.count()

    def __enter__(self) -> Self:
        netns.remove_leftovers()
        self.directory = Path(tempfile.mkdtemp(prefix=netns.owned_prefix()))
        try:
            self.switch = netns.add_namespace("switch")
            self.namespaces.append(self.switch)
            # The bridges carry frames only: they must not speak on the LAN themselves.
            netns.set_sysctls(self.switch, {f"ipv6/conf/{c}/disable_ipv6": 1 for c in ("all", "default")})
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def host(self, name: str) -> Host:
        """A new machine, on no LAN yet."""
        host = Host(self, name)
        self.hosts.append(host)
        return host

    def lan(self, ipv4: str | None = None, ipv6: str | None = None) -> Lan:
        """A new network with the given subnets; without any, its hosts have link-local IPv6 only."""
        return Lan(self, next(self._lans), ipv4, ipv6)

    def close(self) -> None:
        """End every process, remove every namespace and file; tell of failures only after all was tried."""
        failures: list[str] = []
        steps: list[Callable[[], None]] = [host.kill_all for host in self.hosts]
        steps += [functools.partial(netns.remove_namespace, name) for name in reversed(self.namespaces)]
        for step in steps:
            try:
                step()
            except (LabError, OSError, subprocess.SubprocessError) as error:
                failures.append(str(error))
        self.hosts.clear()
        self.namespaces.clear()
        shutil.rmtree(self.directory, ignore_errors=True)
        if failures:
            raise LabError("the lab was not cleaned up: " + "; ".join(failures))
