"""Gathers what discovery finds: what does not answer or is not believed, and what only this machine can reach of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hybridisco.config import Config
from hybridisco.core.kind import Kind
from hybridisco.core.model import UNKNOWN_KIND, Endpoint, Finding, Service, SourceName, Status
from hybridisco.doctor.facts import Found, Link, LocalBackend, SilentService, UntrustedService
from hybridisco.doctor.hosts import connect_all, neighbour
from hybridisco.kinds import get
from hybridisco.manager import ServiceDiscoveryManager
from hybridisco.sources.probe import HttpProbe
from hybridisco.sources.scan import listening

_LOOPBACK = ("127.0.0.1", "::1")
_LIMIT = 32  # services that are told of
_ENDPOINTS = 4  # of a service that are tried


async def found(config: Config, limit_s: float) -> Found:
    """Return what is announced or written down, and does not answer or is not believed."""
    sources = [name for name in (SourceName.MDNS.value, SourceName.MANUAL.value) if name in config.sources]
    async with ServiceDiscoveryManager(config, sources=sources, remember=False) as manager:
        snapshot = await manager.discover_all_services(limit_s)
    told = [one for one in snapshot if one.id not in config.ignore]
    silent = [one for one in told if one.status is Status.UNREACHABLE]
    untrusted = tuple(
        UntrustedService(one.name, one.url, one.host, one.problem or "")
        for one in told
        if one.status is Status.UNTRUSTED
    )
    troubles = tuple(
        f"{name}: {state.detail or 'failed'}" for name, state in snapshot.sources if state.state in ("error", "partial")
    )
    looked = await asyncio.gather(*(_look(one, config) for one in silent[:_LIMIT]))
    answering = sum(one.alive for one in snapshot)
    return Found(answering, tuple(looked), (*troubles, *snapshot.warnings), untrusted[:_LIMIT])


async def _look(service: Service, config: Config) -> SilentService:
    ends = [end for end in service.endpoints if end.address][:_ENDPOINTS]
    replies = await connect_all((end.dial, end.port) for end in ends)
    kind = get(config.kinds, service.kind)
    return SilentService(
        service.name,
        service.url,
        service.host,
        tuple(service.sources),
        service.problem or "",
        replies,
        kind.start_hint if kind else "",
        kind.lan_hint if kind else "",
        neighbour(end.address for end in ends),
    )


async def backends(config: Config, links: tuple[Link, ...]) -> tuple[LocalBackend, ...]:
    """Return the backends of this machine that listen on loopback only.

    :param links: the interfaces that lead to a LAN. Without an address on any, nothing can be said.
    """
    lan = [
        str(address.ip)
        for link in links
        for address in link.interface.addresses
        if not address.is_loopback and not address.is_link_local
    ]
    if not lan:
        return ()
    usual = [port for kind in config.kinds for port in kind.ports]
    ports = dict.fromkeys([*usual, *(port for low, high in config.probe_ports for port in range(low, high + 1))])
    local = await listening([(address, port) for address in _LOOPBACK for port in ports], local=True)
    at: dict[int, str] = {}
    for address, port in local:
        at.setdefault(port, address)
    open_to_all = {port for _, port in await listening([(a, port) for a in lan for port in at], local=True)}
    hidden = [Endpoint(address, port) for port, address in at.items() if port not in open_to_all]
    if not hidden:
        return ()
    probe = HttpProbe(config.kinds, config.probe_timeout_s)
    try:
        findings = await asyncio.gather(*(probe.identify(endpoint) for endpoint in hidden))
    finally:
        with suppress(Exception):
            await probe.close()
    pairs = zip(hidden, findings, strict=True)
    return tuple(found for endpoint, finding in pairs if (found := _hidden(endpoint, finding, config.kinds, lan)))


def _hidden(endpoint: Endpoint, finding: Finding, kinds: tuple[Kind, ...], lan: list[str]) -> LocalBackend | None:
    """Return a backend that we know; what is no backend may well keep to itself."""
    kind = get(kinds, finding.kind or UNKNOWN_KIND)
    if kind is None or not kind.announced:
        return None
    same = tuple(address for address in lan if (":" in address) == (":" in endpoint.address))
    return LocalBackend(kind.title, kind.id, endpoint.url, endpoint.port, same or tuple(lan), kind.lan_hint)
