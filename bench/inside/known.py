"""A start of our manager in a studio that it knows, or not, in process: until so many services are online."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from bench.inside.lan import Found, Measure
from bench.measure import Sample
from hybridisco import ServiceDiscoveryManager, make_config
from hybridisco.core.model import Endpoint, Event, EventType, Snapshot, Status
from hybridisco.sources.probe import HttpProbe

_LIMIT_S = 20.0


async def start(expected: int, state: str, *, remember: bool) -> Measure:
    """Start a manager, wait until all are online, and stop it. What it remembers was seen by a start before."""
    os.environ["HYBRIDISCO_STATE"] = state

    async def measure() -> Sample:
        found = Found(expected)

        def look(events: tuple[Event, ...], _: Snapshot) -> None:
            for event in events:
                if event.type is not EventType.REMOVED and event.service.status is Status.ONLINE:
                    found.note(str(event.service.endpoints[0].port))

        async with ServiceDiscoveryManager(make_config({}), sources=["mdns"], remember=remember) as manager:
            manager.subscribe(look)
            manager.start()
            return await found.sample(_LIMIT_S)

    async with ServiceDiscoveryManager(make_config({}), sources=["mdns"], remember=remember) as manager:
        await manager.discover_all_services()
    return measure


async def looks(places: Sequence[tuple[str, str, int]]) -> Measure:
    """Look at all places at once (a kind, an address, a port), and wait until all have answered as their kind."""

    async def measure() -> Sample:
        found = Found(len(places))
        probe = HttpProbe(make_config({}).kinds)

        async def one(kind: str, address: str, port: int) -> None:
            if (await probe.identify(Endpoint(address, port), kind)).kind == kind:
                found.note(f"{address} {port}")

        await asyncio.gather(*(one(*place) for place in places))
        sample = await found.sample(_LIMIT_S)
        await probe.close()
        return sample

    return measure
