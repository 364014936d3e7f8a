"""One resolved DNS-SD instance becomes an announcement: made safe, bounded, and with zones where they belong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hybridisco.core import safe, trust, txt
from hybridisco.core.model import Announcement, Endpoint, Proof, SourceName
from hybridisco.sources.reach import Place
from hybridisco.sources.table import Instance

ENDPOINT_LIMIT = 8  # that an announcement may give a service
_COVERED = (Proof.SIGNED, Proof.UNCHECKED, Proof.OUTDATED)
_UNSIGNED = trust.Signed(Proof.UNSIGNED)


def announcement(
    instance: Instance,
    told: Mapping[bytes, bytes | None],
    places: Iterable[Place],
    kind: str | None,
    signature: trust.Signed = _UNSIGNED,
    gateways: frozenset[str] = frozenset(),
) -> tuple[Announcement | None, int]:
    """Return the announcement, or None where no address can be used, and how many TXT values were dropped.

    :param told: the keys and values of its TXT record.
    :param places: where it is, as far as that may be dialled (:mod:`.reach`).
    :param kind: the kind that the service type stands for, if it stands for one.
    :param signature: what its signature is worth. Only the addresses that it covers are used.
    :param gateways: addresses of routers, which only they themselves may announce.
    """
    record, dropped = txt.decode(told)
    if not instance.port or not 0 < instance.port < 65536 or instance.port in safe.FOREIGN_PORTS:
        return None, dropped
    endpoints: list[Endpoint] = []
    refused = gateways - instance.senders
    if kind and record.kind and kind != record.kind and signature.proof is Proof.SIGNED:
        signature = replace(signature, proof=Proof.FALSE)  # signed for another service type
    covered = signature.addresses if signature.proof in _COVERED else None
    for address, interface in places:
        if address in refused or (covered is not None and address not in covered):
            continue
        endpoints.append(Endpoint(address, instance.port, record.tls, record.path, interface=interface))
        if len(endpoints) == ENDPOINT_LIMIT:
            break
    if not endpoints:
        return None, dropped
    properties: dict[str, str | int | None] = {"auth": record.auth, "gpu": record.gpu, "vram_mib": record.vram}
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
