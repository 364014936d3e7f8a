"""What a sidecar is told to announce, and which interfaces of this machine that concerns."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_address

from announcers.network import announceable
from hybridisco import AnnounceError, Kind, NetworkInterface, TxtRecord, UsageError, encode_txt, network_interfaces


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a sidecar is told to announce. ``only`` are addresses to announce, all of the LAN when empty."""

    kind: Kind
    port: int
    name: str | None = None
    path: str = "/"
    tls: bool = False
    only: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    bridges: bool = False
    temporary: bool = False

    def links(self) -> tuple[NetworkInterface, ...]:
        """Return the interfaces of now that it is about."""
        if self.only and not self.interfaces:
            # Whoever names an address means it, also that of a bridge which is no LAN by itself.
            return tuple(link for link in network_interfaces() if _has_one_of(link, self.only))
        return announceable(self.interfaces, bridges=self.bridges, temporary=self.temporary)


def check(job: Assignment) -> None:
    """Find out what can never work, before anything is waited for.

    :raises UsageError: an interface or an address that is not of this machine, or a path that is none.
    """
    check_links(job.interfaces, job.only)
    try:
        encode_txt(TxtRecord(path=job.path))
    except AnnounceError as error:
        raise UsageError(str(error)) from error


def check_links(interfaces: tuple[str, ...], addresses: tuple[str, ...]) -> None:
    """See that interfaces and addresses are of this machine. :raises UsageError: one is not."""
    here = network_interfaces()
    for name in interfaces:
        _check_interface(name, here)
    for address in addresses:
        _check_address(address, here, interfaces)


def _check_interface(name: str, here: tuple[NetworkInterface, ...]) -> None:
    lan = [link.name for link in here if not link.loopback]
    # One without an address (a cable that is not plugged in yet) is there as well: it is waited for.
    if name not in {link.name for link in here} | {known for _, known in socket.if_nameindex()}:
        raise UsageError(f"There is no interface {name} here; {_list(lan)}.")
    if any(link.name == name and link.loopback for link in here):
        raise UsageError(f"{name} leads back to this machine only, so nobody else would hear of it; {_list(lan)}.")


def _check_address(address: str, here: tuple[NetworkInterface, ...], interfaces: tuple[str, ...]) -> None:
    links = [link for link in here if not interfaces or link.name in interfaces]
    own = [str(known.ip) for link in links for known in link.addresses if not known.ip.is_loopback]
    if address not in own:
        back = ip_address(address).is_loopback
        wrong = "leads back to this machine only" if back else f"is not of {', '.join(interfaces) or 'this machine'}"
        raise UsageError(
            f"The address {address} {wrong}; {_list(own)}. Give one of them, or leave --bind out to announce all."
        )


def _list(words: list[str]) -> str:
    told = ", ".join(words)
    return f"there are: {told}" if told else "there is none now"


def _has_one_of(link: NetworkInterface, addresses: tuple[str, ...]) -> bool:
    return any(str(own.ip) in addresses for own in link.addresses)
