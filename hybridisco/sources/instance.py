"""One resolved DNS-SD instance becomes an announcement: made safe, bounded, and with zones where they belong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridisco.core import safe, txt
from hybridisco.core.model import Announcement, Endpoint, SourceName
from hybridisco.sources.interfaces import Interface, interface_towards

_ENDPOINT_LIMIT = 8  # that one answer may give an instance
_ZONE_LIMIT = 4  # interfaces on which an address of unknown zone is tried


@dataclass(frozen=True, slots=True)
class Instance:
    """What SRV, TXT, A and AAAA records say of an instance.

    ``name`` is the whole name, ``type`` its service type, both with the final dot. ``packets`` are the addresses,
    those that came in one packet together, with their zone (``fe80::1%2``) where the packet told it.
    """

    name: str
    type: str
    server: str | None
    port: int | None
    packets: tuple[tuple[str, ...], ...]
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
    for address, interface in _places(instance.packets, every, lan):
        endpoints[Endpoint(address, instance.port, record.tls, record.path, interface=interface)] = None
        if len(endpoints) == _ENDPOINT_LIMIT:
            break
    if not endpoints:
        return None, dropped
    properties = {"auth": record.auth, "gpu": record.gpu, "vram_mib": record.vram}
    said = Announcement(
        SourceName.MDNS,
        ref=instance.name.lower(),  # names are compared without regard to case (RFC 6762 section 16)
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


def _places(
    packets: Iterable[Sequence[str]], every: tuple[Interface, ...], lan: tuple[Interface, ...]
) -> Iterator[tuple[str, str | None]]:
    """Yield every address that may be dialled, without its zone, and the interface that leads to it, if one does."""
    for packet in packets:
        said = [(safe.announced_address(scoped), scoped.partition("%")[2]) for scoped in packet]
        others = [address for address, _ in said if address and not _is_link_local(address)]
        for address, zone in said:
            if not address:
                continue
            if not _is_link_local(address):
                # mDNS is for one link: what lies elsewhere (a router's page, the internet, a cloud's metadata) is
                # not dialled because somebody says so. Behind a reflector, write the address down instead.
                if interface := interface_towards(every, address):
                    yield address, interface
            elif named := _interface_named(zone, every):
                yield address, named
            else:
                yield from ((address, name) for name in _zones_beside(others, every, lan))


def _is_link_local(address: str) -> bool:
    return address.startswith(("fe8", "fe9", "fea", "feb"))  # fe80::/10


def _interface_named(zone: str, every: tuple[Interface, ...]) -> str | None:
    """Return the name of the interface with this name or index."""
    return next((i.name for i in every if zone in (str(i.index), i.name)), None)


def _zones_beside(others: list[str], every: tuple[Interface, ...], lan: tuple[Interface, ...]) -> tuple[str, ...]:
    """Return the zones that a link-local address which came by IPv4, where packets carry none, may have.

    It is that of the interface in whose subnet one of the ``others`` of its packet lies. Where that is none, or
    several (some responders tell all their addresses on every link), each is tried.
    """
    towards = dict.fromkeys(name for address in others if (name := interface_towards(every, address)))
    return tuple(towards) or tuple(interface.name for interface in lan[:_ZONE_LIMIT])
