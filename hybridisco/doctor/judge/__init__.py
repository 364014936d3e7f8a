"""The judges: pure functions from facts to checks, in the order in which a person reads them.

A judge looks at the facts that it needs, and says "unknown" where they could not be had.
"""

from __future__ import annotations

from collections.abc import Callable

from hybridisco.doctor.facts import Facts
from hybridisco.doctor.judge import hosts, machine, multicast, network, services
from hybridisco.doctor.report import Check, Report, Result, diagnose

Judge = Callable[[Facts], tuple[Check, ...]]

JUDGES: tuple[Judge, ...] = (
    machine.settings,
    network.interfaces,
    network.default_route,
    network.ipv6,
    multicast.port,
    multicast.firewall,
    multicast.own,
    machine.container,
    machine.wsl,
    machine.permission,
    hosts.hosts,
    services.silent,
    services.loopback_only,
    machine.clock,
)


def judge(facts: Facts) -> Report:
    """Return everything that the facts tell."""
    checks = [check for one in JUDGES for check in one(facts)]
    checks += [
        Check(f"look:{what}", f"Looking at {what}", Result.UNKNOWN, (why,), "It could not be looked at.")
        for what, why in facts.failed
    ]
    return Report(tuple(checks), diagnose(checks))
