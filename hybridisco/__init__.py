"""Hybridisco finds AI backends: announced on the LAN, unannounced on this machine, or written down by hand.

::

    import asyncio, hybridisco

    async def main() -> None:
        async with hybridisco.ServiceDiscoveryManager() as manager:
            comfyui = await manager.discover_service("comfyui")
            print(comfyui.url if comfyui else "none")

    asyncio.run(main())

==============================  =======================================================================
:class:`ServiceDiscoveryManager`  discovery for asyncio programs: once, or for as long as it runs
:class:`DiscoveryThread`          the same in a thread of its own, for synchronous hosts such as Blender
:class:`ServiceRegistry`          the merged truth; thread-safe, with revisions and subscribers
:class:`Service`, :class:`Endpoint`, :class:`Status`, :class:`Snapshot`, :class:`Event`   what they tell
:class:`Config`, :func:`load_config`, :func:`make_config`  the user's settings, from the file or from a program
:class:`HybridiscoError`          the base of all exceptions (:mod:`hybridisco.core.errors`)
:class:`Probe`, :class:`TxtRecord` …  what a sidecar is made of (see the package ``announcers``)
==============================  =======================================================================

Importing this package loads none of its dependencies; each is imported by what needs it, when it needs it.
"""

from __future__ import annotations

import importlib

from hybridisco._version import __version__

TYPE_CHECKING = False  # as type checkers read it; importing typing would cost `--help` some milliseconds

if TYPE_CHECKING:
    from hybridisco.config import AnnounceSettings, Config, ManualEntry, state_folder
    from hybridisco.config import load as load_config
    from hybridisco.config.schema import known_kind, make_config, refuse_twice
    from hybridisco.core.errors import AnnounceError, ConfigError, DiscoveryError, HybridiscoError, UsageError
    from hybridisco.core.identity import sidecar_host
    from hybridisco.core.kind import Kind
    from hybridisco.core.model import (
        Announcement,
        Endpoint,
        Event,
        EventType,
        Finding,
        Service,
        Snapshot,
        SourceName,
        Status,
        Withdrawal,
        status_rank,
    )
    from hybridisco.core.problems import explain as explain_problem
    from hybridisco.core.safe import text as clean_text
    from hybridisco.core.target import parse as parse_target
    from hybridisco.core.target import parse_ports
    from hybridisco.core.trust import covers as covers_address
    from hybridisco.core.txt import LIVE_GREETING, SERVICE_TYPE, TxtRecord
    from hybridisco.core.txt import encode as encode_txt
    from hybridisco.doctor.firewall.gate import rule_against as firewall_rule_against
    from hybridisco.kinds import get as find_kind
    from hybridisco.manager import ServiceDiscoveryManager
    from hybridisco.registry import ServiceRegistry
    from hybridisco.sources.interfaces import Interface as NetworkInterface
    from hybridisco.sources.interfaces import carries_traffic, lan_interfaces
    from hybridisco.sources.interfaces import choice as zeroconf_choice
    from hybridisco.sources.interfaces import interfaces as network_interfaces
    from hybridisco.sources.presence import keep_alive
    from hybridisco.sources.probe import HttpProbe as Probe
    from hybridisco.sources.scan import listening
    from hybridisco.sources.sweep import SweepSource as Sweep
    from hybridisco.sources.watch import NetworkWatch
    from hybridisco.thread import DiscoveryThread
    from hybridisco.trust.lines import fingerprint as key_fingerprint
    from hybridisco.trust.signing import SigningKey, sign_txt

_WHERE = {
    "ServiceDiscoveryManager": ".manager",
    "DiscoveryThread": ".thread",
    "ServiceRegistry": ".registry",
    "AnnounceSettings": ".config",
    "Config": ".config",
    "ManualEntry": ".config",
    "load_config": ".config:load",
    "state_folder": ".config",
    "find_kind": ".kinds:get",
    "known_kind": ".config.schema",
    "make_config": ".config.schema",
    "refuse_twice": ".config.schema",
    "parse_ports": ".core.target",
    "clean_text": ".core.safe:text",
    "firewall_rule_against": ".doctor.firewall.gate:rule_against",
    "parse_target": ".core.target:parse",
    "Probe": ".sources.probe:HttpProbe",
    "listening": ".sources.scan",
    "Sweep": ".sources.sweep:SweepSource",
    "NetworkInterface": ".sources.interfaces:Interface",
    "NetworkWatch": ".sources.watch",
    "keep_alive": ".sources.presence",
    "key_fingerprint": ".trust.lines:fingerprint",
    "SigningKey": ".trust.signing",
    "sign_txt": ".trust.signing",
    "carries_traffic": ".sources.interfaces",
    "lan_interfaces": ".sources.interfaces",
    "network_interfaces": ".sources.interfaces:interfaces",
    "zeroconf_choice": ".sources.interfaces:choice",
    "LIVE_GREETING": ".core.txt",
    "SERVICE_TYPE": ".core.txt",
    "TxtRecord": ".core.txt",
    "encode_txt": ".core.txt:encode",
    "covers_address": ".core.trust:covers",
    "sidecar_host": ".core.identity",
    "explain_problem": ".core.problems:explain",
    "Kind": ".core.kind",
    **dict.fromkeys(
        (
            *("Announcement", "Endpoint", "Event", "EventType", "Finding", "Service", "Snapshot", "SourceName"),
            *("Status", "Withdrawal", "status_rank"),
        ),
        ".core.model",
    ),
    **dict.fromkeys(
        ("HybridiscoError", "ConfigError", "UsageError", "DiscoveryError", "AnnounceError"), ".core.errors"
    ),
}

__all__ = [
    "LIVE_GREETING",
    "SERVICE_TYPE",
    "AnnounceError",
    "AnnounceSettings",
    "Announcement",
    "Config",
    "ConfigError",
    "DiscoveryError",
    "DiscoveryThread",
    "Endpoint",
    "Event",
    "EventType",
    "Finding",
    "HybridiscoError",
    "Kind",
    "ManualEntry",
    "NetworkInterface",
    "NetworkWatch",
    "Probe",
    "Service",
    "ServiceDiscoveryManager",
    "ServiceRegistry",
    "SigningKey",
    "Snapshot",
    "SourceName",
    "Status",
    "Sweep",
    "TxtRecord",
    "UsageError",
    "Withdrawal",
    "__version__",
    "carries_traffic",
    "clean_text",
    "covers_address",
    "encode_txt",
    "explain_problem",
    "find_kind",
    "firewall_rule_against",
    "keep_alive",
    "key_fingerprint",
    "known_kind",
    "lan_interfaces",
    "listening",
    "load_config",
    "make_config",
    "network_interfaces",
    "parse_ports",
    "parse_target",
    "refuse_twice",
    "sidecar_host",
    "sign_txt",
    "state_folder",
    "status_rank",
    "zeroconf_choice",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    value = getattr(importlib.import_module(module, __name__), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
