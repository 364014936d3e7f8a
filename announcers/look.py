"""One look at the backend beside us: what it is, and which addresses of this machine lead to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hybridisco import Endpoint, Finding, NetworkInterface, Probe, listening


class Reach(StrEnum):
    """Who can reach the backend. Offline, this machine has no address that a LAN could use."""

    LAN = "lan"
    LOOPBACK = "loopback"
    NOBODY = "nobody"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and through which endpoint.

    ``addresses`` are those of this machine where the backend accepts connections from the LAN; ``refused`` those
    where it would be announced if it did.
    """

    finding: Finding | None
    reach: Reach
    endpoint: Endpoint | None = None
    addresses: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


async def look(
    probe: Probe,
    kind: str,
    port: int,
    interfaces: tuple[NetworkInterface, ...],
    *,
    path: str = "/",
    tls: bool = False,
    only: tuple[str, ...] = (),
) -> Look:
    """Look at ``kind`` on ``port`` of this machine, through the addresses that the LAN would use.

    :param only: addresses to consider, instead of all of ``interfaces``.
    """
    endpoints = [
        Endpoint(str(address.ip), port, tls, path, interface=interface.name)
        for interface in interfaces
        for address in interface.addresses
        if not address.ip.is_loopback and (not only or str(address.ip) in only)
    ]
    if not endpoints:
        return Look(None, Reach.OFFLINE)
    accepting = set(await listening([(endpoint.dial, port) for endpoint in endpoints], local=True))
    reachable = [endpoint for endpoint in endpoints if (endpoint.dial, port) in accepting]
    if reachable:
        finding = await probe.identify(reachable[0], kind)
        return Look(finding, Reach.LAN, reachable[0], tuple(endpoint.address for endpoint in reachable))
    refused = tuple(endpoint.address for endpoint in endpoints)
    loopback = [Endpoint("127.0.0.1", port, tls, path), Endpoint("::1", port, tls, path)]
    accepting = set(await listening([(endpoint.dial, port) for endpoint in loopback], local=True))
    for endpoint in loopback:
        if (endpoint.dial, port) in accepting:
            return Look(await probe.identify(endpoint, kind), Reach.LOOPBACK, endpoint, refused=refused)
    return Look(None, Reach.NOBODY, refused=refused)
