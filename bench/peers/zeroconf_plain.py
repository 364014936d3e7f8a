"""Plain python-zeroconf, as its README has it: a browser, and ``async_request`` for each service that it adds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from bench.inside.lan import Found
from bench.measure import Sample
from hybridisco import SERVICE_TYPE

_REQUEST_MS = 3000


async def browse(expected: int, limit_s: float = 20.0) -> Callable[[], Awaitable[Sample]]:
    """Browse, wait, and stop."""

    async def measure() -> Sample:
        found, tasks = Found(expected), set[asyncio.Task[None]]()

        async def resolve(zeroconf: Zeroconf, service_type: str, name: str) -> None:
            info = AsyncServiceInfo(service_type, name)
            if await info.async_request(zeroconf, _REQUEST_MS):
                found.note(name)

        def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            if state_change is ServiceStateChange.Added:
                tasks.add(asyncio.ensure_future(resolve(zeroconf, service_type, name)))

        zeroconf = AsyncZeroconf(ip_version=IPVersion.All)
        browser = AsyncServiceBrowser(zeroconf.zeroconf, [SERVICE_TYPE], handlers=[changed])
        sample = await found.sample(limit_s)
        await browser.async_cancel()
        await zeroconf.async_close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return sample

    return measure


async def _idle() -> None:
    """Share port 5353 with whoever else is on this host, and browse something that is not there."""
    zeroconf = AsyncZeroconf(ip_version=IPVersion.All)
    AsyncServiceBrowser(zeroconf.zeroconf, ["_hybridisco-bench._tcp.local."], handlers=[lambda **_: None])
    await zeroconf.zeroconf.async_wait_for_start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_idle())
