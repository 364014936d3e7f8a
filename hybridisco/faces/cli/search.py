"""Which services are wanted, and the search for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from hybridisco.config import Config
from hybridisco.config.schema import known_kind
from hybridisco.core import target
from hybridisco.core.identity import THIS_MACHINE, bare_host
from hybridisco.core.model import UNKNOWN_KIND, Service, Snapshot
from hybridisco.core.target import Target
from hybridisco.faces.cli.outcome import FOUND, NOTHING, say
from hybridisco.faces.cli.terminal import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridisco.manager import ServiceDiscoveryManager
    from hybridisco.sources.knock import Knocked


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants to see. Empty tuples mean no limit; ``sources`` are those that search."""

    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    hosts: tuple[Target, ...] = ()
    ignored: frozenset[str] = frozenset()
    show_all: bool = False

    def shows(self, service: Service) -> bool:
        """Whether a service is wanted."""
        if self.kinds and service.kind not in self.kinds:
            return False
        if self.hosts and not any(is_at(service, host) for host in self.hosts):
            return False
        return any(source in self.sources for source in service.sources) and not self.hides(service)

    def hides(self, service: Service) -> bool:
        """Whether only ``--all`` would show it: it is ignored, or a web server that nobody claims to be more."""
        if self.show_all:
            return False
        return service.id in self.ignored or (service.nameless and UNKNOWN_KIND not in self.kinds)

    def filtered(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with the wanted services only."""
        return replace(snapshot, services=tuple(filter(self.shows, snapshot.services)))


def wish(
    config: Config,
    kinds: Iterable[str] = (),
    sources: Iterable[str] = (),
    hosts: Iterable[str] = (),
    show_all: bool = False,
) -> Wish:
    """Return the options of a command as a wish. :raises UsageError: an unknown kind, or a host that is none."""
    return Wish(
        kinds=tuple(kind_id(config, name) for name in kinds),
        sources=tuple(sources) or config.sources,
        hosts=tuple(target.parse(host) for host in hosts),
        ignored=frozenset(config.ignore),
        show_all=show_all,
    )


def kind_id(config: Config, name: str) -> str:
    """Return the id of a kind that a service may have. :raises UsageError: there is none of this name."""
    mapped = {kind for _, kind in config.mdns_types}
    wanted = name.strip().lower()
    return wanted if wanted == UNKNOWN_KIND or wanted in mapped else known_kind(config.kinds, name).id


def is_at(service: Service, host: Target) -> bool:
    """Whether a service is on a host, and at its port if one was said."""
    endpoints = [endpoint for endpoint in service.endpoints if host.port in (None, endpoint.port)]
    if not endpoints:
        return False
    if host.is_address:
        return any(endpoint.address == host.host and host.zone in (None, endpoint.zone) for endpoint in endpoints)
    names = {bare_host(name) for name in (service.host, *(endpoint.host for endpoint in endpoints)) if name}
    local = any(endpoint.address and ip_address(endpoint.address).is_loopback for endpoint in endpoints)
    return bare_host(host.host) in names or (host.host == THIS_MACHINE and local)


def answering(snapshot: Snapshot) -> int:
    """Return :data:`FOUND` if at least one service answers, else :data:`NOTHING`."""
    return FOUND if any(service.alive for service in snapshot.services) else NOTHING


async def search(
    config: Config,
    want: Wish,
    timeout_s: float | None = None,
    *,
    wait: bool = False,
    knocked: Knocked | None = None,
) -> Snapshot:
    """Return everything that the wish's sources find.

    :param wait: end at the first wanted service that answers instead of when all is quiet.
    :param knocked: what has been found out already about the ports of this machine.
    :raises DiscoveryError: no source could run.
    """
    from hybridisco.manager import ServiceDiscoveryManager

    def matched(snapshot: Snapshot) -> bool:
        return answering(want.filtered(snapshot)) == FOUND

    async with (
        ServiceDiscoveryManager(config, sources=want.sources, knocked=knocked) as manager,
        Progress(_words(manager, config, want)),
    ):
        return await manager.discover_all_services(timeout_s, until=matched if wait else None)


def _words(manager: ServiceDiscoveryManager, config: Config, want: Wish) -> Callable[[], str]:
    """Return what the progress line says: where is being searched, and how many were found."""
    entries = "your entries" if config.services else ""
    places = {"mdns": "the LAN", "probe": ", ".join(config.probe_hosts), "manual": entries}
    where = [places[source] for source in want.sources if places[source]]

    def words() -> str:
        snapshot = manager.snapshot
        number = len(want.filtered(snapshot).services)
        return f"Searching {', '.join(where)} … {number} found"

    return words


def warn(config: Config, snapshot: Snapshot | None = None) -> None:
    """Say on stderr what went wrong beside the result."""
    for warning in config.warnings:
        say(f"Warning: {warning}")
    if snapshot is not None:
        for name, state in snapshot.sources:
            if state.state in ("error", "partial"):
                say(f"Warning: {name}: {state.detail or 'failed'}")
        for warning in snapshot.warnings:
            say(f"Warning: {warning}")
