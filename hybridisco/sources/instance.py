"""One resolved DNS-SD instance becomes an announcement: made safe, bounded, and with zones where they belong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hybridisco.core import safe, txt
from hybridisco.core.model import Announcement, Endpoint, SourceName
from hybridisco.sources.interfaces import Interface, interface_towards

_ADDRESS_LIMIT = 8  # addresses that one instance may have


@dataclass(frozen=True, slots=True)
class Instance:
    """What SRV, TXT, A and AAAA records say of an instance.

    ``name`` is the whole name, ``type`` its service type, both with the final dot. ``addresses`` carry their
    zone (``fe80::1%2``) where the packet told it.
    """

    name: str
    type: str
    server: str | None
    port: int | None
    addresses: tuple[str, ...]
    properties: Mapping[bytes, bytes | None]


def announcement(
    instance: Instance, kind: str | None, every: tuple[Interface, ...], lan: tuple[Interface, ...]
) -> tuple[Announcement | None, int]:
    """Return the announcement, or None where no address can be used, and how many TXT values were dropped.

    :param kind: the kind that the service type stands for, if it stands for one.
    :param every: all interfaces of this machine; ``lan``: those that are browsed on.
    """
    record, dropped = txt.decode(instance.properties)
    if not instance.port or not 0 < instance.port < 65536:
        return None, dropped
    endpoints: dict[Endpoint, None] = {}
    for scoped in instance.addresses[:_ADDRESS_LIMIT]:
        literal, _, zone = scoped.partition("%")
        address = safe.announced_address(literal)
        if address is None:
            continue
        endpoint = Endpoint(address, instance.port, record.tls, record.path)
        if endpoint.link_local:
            interface = _interface_named(zone, every) or _zone_of_host(instance.addresses, every, lan)
            if interface is None:
                continue
        else:
            interface = interface_towards(every, address)
        endpoints[Endpoint(address, instance.port, record.tls, record.path, interface=interface)] = None
    if not endpoints:
        return None, dropped
    properties = {"auth": record.auth, "gpu": record.gpu, "vram_mib": record.vram}
    said = Announcement(
        SourceName.MDNS,
        ref=instance.name,
        endpoints=tuple(endpoints),
        kind=kind or record.kind,
        id=record.id,
        name=safe.text(instance.name.removesuffix(f".{instance.type}")),
        host=safe.host(instance.server),
        version=record.version,
        auth=record.auth,
        state=record.state,
        capabilities=record.capabilities,
        properties=tuple((key, value) for key, value in properties.items() if value is not None),
    )
    return said, dropped


def _interface_named(zone: str, every: tuple[Interface, ...]) -> str | None:
    """Return the name of the interface with this name or index."""
    return next((i.name for i in every if zone in (str(i.index), i.name)), None)


def _zone_of_host(addresses: tuple[str, ...], every: tuple[Interface, ...], lan: tuple[Interface, ...]) -> str | None:
    """Return the zone of a link-local address that came by IPv4, where packets carry none.

    It is the interface in whose subnet another address of the same host lies, or the only one there is.
    """
    for address in addresses:
        if not address.lower().startswith("fe80:") and (name := interface_towards(every, address.partition("%")[0])):
            return name
    return lan[0].name if len(lan) == 1 else None
