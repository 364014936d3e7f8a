"""A machine that gets its address after the program was started: how long from the address to the first service.

Each measurement starts a source while the card has no address, says "waiting", and ends at what it finds.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hybridisco import SERVICE_TYPE
from hybridisco.core.model import Announcement, Withdrawal
from hybridisco.sources.mdns import MdnsSource

_NETLINK_ROUTE, _IPV4_ADDRESSES, _NEW_ADDRESS = 0, 0x10, 20  # <linux/rtnetlink.h>
_LIMIT_S = 3.0


class _Sink:
    def __init__(self, found: Callable[[], None]) -> None:
        self._found = found

    def emit(self, datum: Announcement | Withdrawal) -> None:
        if isinstance(datum, Announcement):
            self._found()


async def _ours(found: Callable[[], None], until: Awaitable[None]) -> None:
    running = asyncio.create_task(MdnsSource().run(_Sink(found)))
    await until
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _plain(found: Callable[[], None], until: Awaitable[None]) -> None:
    async def resolve(zeroconf: Zeroconf, service_type: str, name: str) -> None:
        if await AsyncServiceInfo(service_type, name).async_request(zeroconf, 3000):
            found()

    def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Added:
            tasks.append(asyncio.ensure_future(resolve(zeroconf, service_type, name)))

    tasks: list[asyncio.Future[None]] = []
    zeroconf = AsyncZeroconf(ip_version=IPVersion.All)
    browser = AsyncServiceBrowser(zeroconf.zeroconf, [SERVICE_TYPE], handlers=[changed])
    await until
    await browser.async_cancel()
    await zeroconf.async_close()
    for task in tasks:
        task.cancel()


async def _main(who: str) -> None:
    loop, began, enough = asyncio.get_running_loop(), list[float](), asyncio.Event()
    found_at: list[float] = []

    def found() -> None:
        found_at.append(time.monotonic())
        enough.set()

    def heard() -> None:
        if int.from_bytes(netlink.recv(65536)[4:6], sys.byteorder) == _NEW_ADDRESS:
            began.append(time.monotonic())

    async def until() -> None:
        print(json.dumps({"waiting": 1}), flush=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LIMIT_S):
                await enough.wait()

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as netlink:
        netlink.bind((0, _IPV4_ADDRESSES))
        loop.add_reader(netlink, heard)
        await {"ours": _ours, "plain": _plain}[who](found, _after_start(until))
        loop.remove_reader(netlink)
    print(json.dumps({"ms": (found_at[0] - began[0]) * 1000 if found_at and began else None}), flush=True)


async def _after_start(until: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(0.3)  # for all that a start does; without a network there is no event that tells of it
    await until()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
