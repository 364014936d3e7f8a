"""What the user's file says, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hybridisco.config import defaults
from hybridisco.core.kind import Kind
from hybridisco.core.target import Target
from hybridisco.core.trust import FIRST_USE, OFF, PINNED_ONLY

ALL_SOURCES: tuple[str, ...] = defaults.SOURCES
TRUST_MODES: tuple[str, ...] = (FIRST_USE, PINNED_ONLY, OFF)


@dataclass(frozen=True, slots=True)
class ManualEntry:
    """One ``[[services]]`` entry: a service that the user wrote down.

    ``target`` always has a port. ``url`` is the target's URL in canonical form.
    """

    kind: str | None
    target: Target
    name: str | None
    url: str


@dataclass(frozen=True, slots=True)
class AnnounceSettings:
    """The ``[announce]`` section: what a sidecar for the whole box announces.

    ``kinds`` empty means every kind that is announced by default. ``ports`` are ranges that are looked at besides
    those of the probe. ``names`` are (kind, port or None for any, name). ``interfaces`` empty means all of the LAN;
    ``bridges`` adds those of containers and virtual machines, ``temporary`` the IPv6 addresses of RFC 8981.
    """

    kinds: tuple[str, ...] = ()
    ports: tuple[tuple[int, int], ...] = ()
    names: tuple[tuple[str, int | None, str], ...] = ()
    interfaces: tuple[str, ...] = ()
    bridges: bool = False
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting. Times are seconds.

    ``file`` is None where there is no file. ``ignore`` holds ids of services. ``probe_ports`` are ranges,
    both ends included, searched besides every kind's own ports. ``mdns_types`` maps DNS-SD types
    (``_wyoming._tcp``) to ids of kinds. ``interfaces`` empty means all usable ones. ``warnings`` tell of kinds
    from other packages that cannot be used. ``trust_mode`` is one of :data:`TRUST_MODES`.
    ``remember``: keep what is seen on the LAN for the next start.
    """

    file: Path | None = None
    timeout_s: float = 5.0
    sources: tuple[str, ...] = ALL_SOURCES
    ignore: tuple[str, ...] = ()
    probe_hosts: tuple[str, ...] = defaults.PROBE_HOSTS
    probe_ports: tuple[tuple[int, int], ...] = defaults.PROBE_PORTS
    probe_timeout_s: float = 5.0
    rescan_s: float = 5.0
    mdns_types: tuple[tuple[str, str], ...] = ()
    interfaces: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = field(default=(), repr=False)
    services: tuple[ManualEntry, ...] = ()
    announce: AnnounceSettings = field(default_factory=AnnounceSettings)
    trust_mode: str = FIRST_USE
    remember: bool = True
    warnings: tuple[str, ...] = ()
