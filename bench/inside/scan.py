"""Our scan and our whole local probe, in process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bench.measure import Sample
from hybridisco.config import load
from hybridisco.core.model import Announcement, Withdrawal
from hybridisco.sources.probe import HttpProbe
from hybridisco.sources.scan import listening
from hybridisco.sources.sweep import SweepSource

Measure = Callable[[], Awaitable[Sample]]
_LIMIT_S = 30.0


async def scan(ports: list[int]) -> Measure:
    """Which of the ports listen, on both loopback addresses."""

    async def measure() -> Sample:
        began, cpu = time.perf_counter(), time.process_time()
        found = []
        for address in ("127.0.0.1", "::1"):
            found += await listening([(address, port) for port in ports], local=True)
        return {
            "ms": (time.perf_counter() - began) * 1000,
            "cpu_ms": (time.process_time() - cpu) * 1000,
            "open": float(len(found)),
        }

    return measure


class _Seen:
    """A sink that notes when each service was identified."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, int], float] = {}

    def emit(self, datum: Announcement | Withdrawal) -> None:
        if isinstance(datum, Announcement) and datum.kind is not None:
            endpoint = datum.endpoints[0]
            self.at.setdefault((endpoint.dial, endpoint.port), time.perf_counter())


async def identify(expected: int, more: list[int] = []) -> Measure:  # noqa: B006 - from JSON
    """Identify what there is on this machine; ``good``: when the last of those expected was known, ``ms``: the end.

    :param more: ports besides the usual.
    """
    config = load()
    probe = HttpProbe(config.kinds, config.probe_timeout_s)
    await probe.close()

    async def measure() -> Sample:
        # A new one each time: no connection is left from the last.
        probe = HttpProbe(config.kinds, config.probe_timeout_s)

        async def get() -> HttpProbe:
            return probe

        ports = (*config.probe_ports, *((port, port) for port in more))
        source, seen = SweepSource(get, ["localhost"], ports, config.kinds, 3600.0), _Seen()
        began, cpu = time.perf_counter(), time.process_time()
        running = asyncio.create_task(source.run(seen))
        async with asyncio.timeout(_LIMIT_S):
            await source.settled()
        end, used = time.perf_counter(), time.process_time() - cpu
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await probe.close()
        good = max(seen.at.values()) if len(seen.at) >= expected else float("inf")
        sample = {"ms": (end - began) * 1000, "good": (good - began) * 1000, "cpu_ms": used * 1000}
        return {**sample, "found": float(len(seen.at))}

    return measure
