"""Runs the gatherers, as far as possible at once, and then the judges. The one place where the doctor is wired."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from hybridisco.config import Config, config_file, load
from hybridisco.config.doubts import doubts
from hybridisco.core import safe
from hybridisco.core.errors import ConfigError
from hybridisco.core.target import Target
from hybridisco.doctor import hosts, links, machine, packets, port, services
from hybridisco.doctor.facts import Facts, Links, Settings
from hybridisco.doctor.firewall import read
from hybridisco.doctor.judge import judge
from hybridisco.doctor.report import Report
from hybridisco.kinds import BUILTIN

log = logging.getLogger(__name__)

LISTEN_S = 2.0  # for answers: three rounds of questions, and half a second for what a slow access point holds back
T = TypeVar("T")


@dataclass(slots=True)
class _Failures:
    """Gatherers that broke. The others go on: a doctor who cannot look at one thing looks at the rest."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    async def guard(self, what: str, job: Awaitable[T]) -> T | None:
        try:
            return await job
        except Exception as error:
            log.debug("%s could not be looked at", what, exc_info=True)
            self.seen.append((what, safe.text(f"{type(error).__name__}: {error}", 200) or type(error).__name__))
            return None


async def examine(asked: Iterable[Target] = (), listen_s: float | None = None) -> Report:
    """Look at everything, and return what it tells.

    :param asked: other machines to test, besides those in the settings.
    :param listen_s: seconds to wait for answers.
    """
    limit_s = LISTEN_S if listen_s is None else listen_s
    before = machine.clocks()
    failures = _Failures()
    config, settings = _settings()
    found_links = await failures.guard("the interfaces", asyncio.to_thread(links.gather, config.interfaces))
    if found_links is not None and not settings.error:
        there = [link.name for link in found_links.every if link.interface.addresses]
        settings = _doubtful(settings, config, there)
    every = found_links or Links((), ())
    # Our own sockets would stand in the list of those that have the port: so that is looked at first.
    at_port = await failures.guard("port 5353", asyncio.to_thread(port.gather))
    rules = asyncio.create_task(failures.guard("the firewall", read.gather()))
    hidden = asyncio.create_task(
        failures.guard("the backends of this machine", services.backends(config, every.speaking))
    )
    found = asyncio.create_task(failures.guard("the services", services.found(config, limit_s + hosts.CONNECT_S)))
    others = await failures.guard("other hosts", hosts.gather(hosts.named(config, asked), every.used))
    exchange = await failures.guard("multicast", packets.gather(every.speaking, others or (), limit_s))
    facts = Facts(
        settings,
        machine.gather(),
        found_links,
        at_port,
        await rules,
        exchange,
        others,
        await hidden,
        await found,
        machine.clock(before, machine.clocks()),
        tuple(failures.seen),
    )
    return judge(facts)


def _settings() -> tuple[Config, Settings]:
    """Return the settings that hold, and what is wrong with their file. A wrong one is what we are here for."""
    try:
        config = load()
    except ConfigError as error:
        return Config(kinds=BUILTIN), Settings(file=str(error.file or config_file()), error=str(error))
    return config, Settings(str(config.file) if config.file else None, interfaces=config.interfaces)


def _doubtful(settings: Settings, config: Config, there: list[str]) -> Settings:
    return Settings(settings.file, None, (*config.warnings, *doubts(config, there)), settings.interfaces)
