"""Whether this machine's own firewall keeps the LAN away from a TCP port."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Interface

from hybridisco.doctor.firewall.model import Packet, drops
from hybridisco.doctor.firewall.read import gather
from hybridisco.doctor.firewall.rules import parsed


async def rule_against(port: int, ways: Iterable[tuple[str, IPv4Interface | IPv6Interface]]) -> str | None:
    """Return the rule that drops every new connection to ``port``, or None.

    None also where that cannot be told: no tool, no right to ask it, a rule that is not understood.

    :param ways: interfaces of this machine with their addresses, at which the LAN would connect.
    """
    rules = tuple(parsed(await gather()))
    dropped: list[str] = []
    for link, own in ways:
        packet = Packet(
            "input",
            "ipv6" if own.version == 6 else "ipv4",
            _neighbour(own),
            str(own.ip),
            link,
            protocol="tcp",
            port=port,
        )
        found = (drops(tool, chains, packet) for tool, chains in rules)
        sure = next((drop.rule for drop in found if drop is not None and drop.sure), None)
        if sure is None:
            return None  # one way in is enough
        dropped.append(sure)
    return next(iter(dropped), None)


def _neighbour(own: IPv4Interface | IPv6Interface) -> str:
    """Return an address that another host of this link might have."""
    first = own.network.network_address + 1
    return str(first if first != own.ip else first + 1)
