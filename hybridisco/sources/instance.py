"""One resolved DNS-SD instance becomes an announcement: made safe, bounded, and with zones where they belong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hybridisco.core import safe, trust, txt
from hybridisco.core.model import Announcement, Endpoint, Proof, SourceName
from hybridisco.sources.interfaces import Interface, interface_towards
from hybridisco.sources.table import Instance, pairs

ENDPOINT_LIMIT = 8  # that an announcement may give a service
_COVERED = (Proof.SIGNED, Proof.UNCHECKED, Proof.OUTDATED)

#: Where a host is: an address without its zone, and the interface that it was heard on.
Place = tuple[str, str]


def announcement(
    instance: Instance,
    places: Iterable[Place],
    kind: str | None,
    every: tuple[Interface, ...],
    signature: trust.Signed | None = None,
    gateways: frozenset[str] = frozenset(),
) -> tuple[Announcement | None, int]:
    """Return the announcement, or None where no address can be used, and how many TXT values were dropped.

    :param kind: the kind that the service type stands for, if it stands for one.
    :param every: all interfaces of this machine.
    :param signature: what its signature is worth. Only the addresses that it covers are used.
    :param gateways: addresses of routers, which only they themselves may announce.
    """
    record, dropped = txt.decode(pairs(instance.text or b""))
    if not instance.port or not 0 < instance.port < 65536 or instance.port in safe.FOREIGN_PORTS:
        return None, dropped
    endpoints: dict[Endpoint, None] = {}
    signature = signature or trust.Signed(Proof.UNSIGNED)
    if kind and record.kind and kind != record.kind and signature.proof is Proof.SIGNED:
        signature = replace(signature, proof=Proof.FALSE)  # signed for another service type
    for address, interface in dialable(places, every, gateways - instance.senders):
        if signature.proof in _COVERED and address not in signature.addresses:
            continue
        endpoints[Endpoint(address, instance.port, record.tls, record.path, interface=interface)] = None
        if len(endpoints) == ENDPOINT_LIMIT:
            break
    if not endpoints:
        return None, dropped
    properties = {"auth": record.auth, "gpu": record.gpu, "vram_mib": record.vram}
    said = Announcement(
        SourceName.MDNS,
        ref=instance.key,
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
        proof=signature.proof,
        signer=signature.key,
        live=record.live,
    )
    return said, dropped


def dialable(
    places: Iterable[Place], every: tuple[Interface, ...], refused: frozenset[str] = frozenset()
) -> Iterator[Place]:
    """Yield every address that may be dialled, and the interface that leads to it.

    mDNS is for one link: what lies elsewhere (the internet, a cloud's metadata, another network of this machine or of
    the house) is not dialled because somebody says so. Behind a reflector, write the address down instead.
    """
    for said, link in places:
        address = safe.announced_address(said)
        if address is None or address in refused:
            continue
        if _is_link_local(address) or interface_towards(tuple(each for each in every if each.name == link), address):
            yield address, link


def _is_link_local(address: str) -> bool:
    return address.startswith(("fe8", "fe9", "fea", "feb"))  # fe80::/10
