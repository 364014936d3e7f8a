"""One network card of a lab host: its addresses, its switch and its cable."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import netns
from .wait import wait_until

if TYPE_CHECKING:
    from .host import Host

LINK_TIMEOUT_S = 5.0  # a veth is up within milliseconds


class Interface:
    """One network card of a host, plugged into a LAN."""

    def __init__(self, host: Host, name: str, port: str, given: Sequence[str], gateway: str | None) -> None:
        self.host = host
        self.name = name
        self._port = port  # the other end of the cable, in the switch's namespace
        self._given = tuple(given)  # "address/prefix", lost at link-down for IPv6
        self._gateway = gateway

    def __repr__(self) -> str:
        return f"<{self.name} of {self.host.name}: {', '.join(self.addresses)}>"

    @property
    def index(self) -> int:
        """The interface index inside its host (the scope id of its link-local address)."""
        return int(self._facts()["ifindex"])

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses it has now, without prefix and zone."""
        return tuple(each["local"] for each in self._facts()["addr_info"])

    @property
    def ipv4(self) -> str | None:
        return next((each for each in self.addresses if ":" not in each), None)

    @property
    def ipv6(self) -> str | None:
        """The global (or unique local) one."""
        return next((each for each in self.addresses if ":" in each and not _is_link_local(each)), None)

    @property
    def link_local(self) -> str | None:
        return next((each for each in self.addresses if ":" in each and _is_link_local(each)), None)

    def down(self) -> None:
        """Switch the card off, as ``ip link set … down`` does: the kernel drops its IPv6 addresses."""
        netns.ip("link", "set", self.name, "down", namespace=self.host.namespace)

    def up(self) -> None:
        """Switch it on again, with the addresses it was given."""
        commands = [f"link set {self.name} up"]
        commands += [f"addr replace {each} dev {self.name}{_nodad(each)}" for each in self._given]
        if self._gateway:
            commands.append(f"route replace default via {self._gateway} dev {self.name}")
        netns.ip_batch(self.host.namespace, *commands)
        self.await_ready()

    def unplug(self) -> None:
        """Pull the cable: the card stays on, keeps its addresses and has no carrier."""
        netns.ip("link", "set", self._port, "down", namespace=self.host.lab.switch)
        wait_until(lambda: self._facts()["operstate"] != "UP", LINK_TIMEOUT_S, f"no carrier at {self.name}")

    def plug(self) -> None:
        """Put the cable back."""
        netns.ip("link", "set", self._port, "up", namespace=self.host.lab.switch)
        self.await_ready()

    def add_address(self, address: str) -> None:
        """Give it one more address, as ``10.77.0.9/24``."""
        self._given = (*self._given, address)
        command = f"addr add {address} dev {self.name}{_nodad(address)}"
        netns.ip_batch(self.host.namespace, command)
        self.await_ready()

    def remove_address(self, address: str) -> None:
        """Take one away again, written as it was given."""
        self._given = tuple(each for each in self._given if each != address)
        netns.ip("addr", "del", address, "dev", self.name, namespace=self.host.namespace)

    def await_ready(self) -> None:
        """Wait until the link is up and every address can be used."""
        wait_until(self._is_ready, LINK_TIMEOUT_S, f"{self!r} is up, nothing tentative")

    def _is_ready(self) -> bool:
        facts = self._facts()
        infos = facts["addr_info"]
        settled = not any(each.get("tentative") for each in infos)
        expected = {each.split("/")[0] for each in self._given}
        has_link_local = self.host.has_no_ipv6(self.name) or any(each["scope"] == "link" for each in infos)
        there = expected <= {each["local"] for each in infos}
        return facts["operstate"] == "UP" and settled and there and has_link_local

    def _facts(self) -> dict[str, Any]:
        text = netns.ip("-j", "addr", "show", "dev", self.name, namespace=self.host.namespace)
        return dict(json.loads(text)[0])


def _is_link_local(address: str) -> bool:
    return ipaddress.ip_address(address).is_link_local


def _nodad(address: str) -> str:
    return " nodad" if ":" in address else ""
