"""Evidence in few words: what the sources would say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hybridisco.core.model import (
    Announcement,
    Check,
    Endpoint,
    Finding,
    Proof,
    Service,
    SourceName,
    Status,
    Withdrawal,
    check_ref,
)
from hybridisco.registry import ServiceRegistry

NOW = 1_790_000_000.0
TYPE = "_hybridisco._tcp.local."


def at(address: str, port: int = 8188, **more: Any) -> Endpoint:
    """An endpoint; a zone is written into the address (``fe80::2%eth0``)."""
    literal, _, zone = address.partition("%")
    return Endpoint(literal, port, **({"interface": zone} if zone else {}), **more)


def mdns(instance: str, *addresses: str, port: int = 8188, path: str = "/", **more: Any) -> Announcement:
    """What the mDNS source says of an instance, a ComfyUI unless another kind is given."""
    more.setdefault("kind", "comfyui")
    more.setdefault("name", instance)
    endpoints = tuple(at(address, port, path=path) for address in addresses)
    return Announcement(SourceName.MDNS, f"{instance}.{TYPE}", endpoints, **more)


def signed(announcement: Announcement, key: str, proof: Proof = Proof.SIGNED) -> Announcement:
    """The same with a signature: each key has a name of its own, as the mDNS source gives it."""
    ref = f"{announcement.ref}\n{proof}\n{key}"
    return replace(announcement, ref=ref, signer=key, proof=proof)


def orphaned(announcement: Announcement) -> Announcement:
    """The same, after whoever announced it has ended without a goodbye."""
    return replace(announcement, unattended=True)


def manual(ref: str, *addresses: str, port: int = 8188, path: str = "/", host: str, **more: Any) -> Announcement:
    """What the manual source says of an entry; with no address its name did not resolve."""
    name = None if host in addresses or host == "localhost" else host
    endpoints = tuple(at(address, port, path=path, host=name) for address in addresses)
    return Announcement(
        SourceName.MANUAL, ref, endpoints or (Endpoint("", port, path=path, host=host),), host=host, **more
    )


def online(kind: str | None = "comfyui", **more: Any) -> Finding:
    """A finding: it answers as ``kind``."""
    return Finding(Status.ONLINE, kind, latency_ms=1.0, **more)


def down(cause: str = "refused") -> Finding:
    """A finding: nothing answers."""
    return Finding(Status.UNREACHABLE, cause=cause)


def scan(address: str, finding: Finding, *, port: int = 8188, host: str = "localhost") -> Announcement:
    """What a sweep says of a port that listens."""
    return Announcement(
        SourceName.PROBE, f"scan {address} {port}", (at(address, port),), finding.kind, host=host, finding=finding
    )


def look(endpoint: Endpoint, finding: Finding) -> Announcement:
    """What the probe says of an endpoint that was to be checked."""
    return Announcement(
        SourceName.PROBE, check_ref(endpoint.key), (endpoint,), finding.kind, finding=finding, standing=False
    )


def gone(announcement: Announcement) -> Withdrawal:
    """The source takes it back."""
    return Withdrawal(announcement.source, announcement.ref)


def say(registry: ServiceRegistry, *announcements: Announcement, now: float = NOW) -> None:
    """Let sources say this, one after the other."""
    for announcement in announcements:
        registry.apply(announcement, now)


def only(registry: ServiceRegistry) -> Service:
    """The one service that there is."""
    services = registry.snapshot().services
    assert len(services) == 1, [(s.id, s.kind, s.status) for s in services]
    return services[0]


def answer(registry: ServiceRegistry, checks: tuple[Check, ...], finding: Finding, now: float = NOW) -> None:
    """Carry out checks, all with the same finding."""
    for check in checks:
        registry.apply(look(check.endpoint, finding), now)
