"""Many announced services, cheaply: ``python -m bench.responders < hosts.json``.

One process for each host, forked from this one, so that fifty share what they have imported. Each has a zeroconf of
its own in the host's network. Its services are announced once, and not probed for: that would take seconds, and is not
what is measured. (What was never announced would be answered by multicast also to who asks for unicast.)

It says "ready" once for each host. A single host also takes orders: ``add NAME PORT``, ``update NAME``,
``goodbye NAME``; each is one packet, and is answered with the monotonic time at which it was sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from ipaddress import ip_address

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hybridisco import SERVICE_TYPE
from tests.lab import netns
from tests.lab.avahi import Avahi, StaticService
from tests.lab.host import REPOSITORY
from tests.lab.net import Host, python
from tests.lab.process import Process

FIRST_PORT = 20_000  # nothing answers there: what is measured is the LAN
_READY_LIMIT_S = 60.0
_AT_ONCE = 20
_REPEATED_S = 1.1  # what was just said by multicast is not said again within a second (RFC 6762 section 6)


@dataclass(frozen=True, slots=True)
class Announced:
    """What is announced on a host: names, at ports from :data:`FIRST_PORT` on.

    ``host`` is the one host name of all; without, each has a name of its own, as our sidecars have it (ADR 5).
    """

    namespace: str
    host: str | None
    addresses: tuple[str, ...]
    names: tuple[str, ...]


def shared_out(services: int, hosts: Sequence[Host], *, one_name: bool) -> list[Announced]:
    """Return so many services in all, the same number on every host."""
    found = []
    for number, host in enumerate(hosts):
        mine = range(number, services, len(hosts))
        names = tuple(f"bench-{each}" for each in mine)
        found.append(Announced(host.namespace, f"{host.name}.local." if one_name else None, host.addresses, names))
    return found


@contextmanager
def by_zeroconf(services: int, hosts: Sequence[Host], *, one_name: bool = False) -> Iterator[Process]:
    """Announce by python-zeroconf, until the block ends."""
    directory = hosts[0].directory
    plan, log = directory / "announced.json", directory / "responders.log"
    plan.write_text(
        json.dumps([asdict(each) for each in shared_out(services, hosts, one_name=one_name)]), encoding="utf-8"
    )
    with log.open("w", encoding="utf-8") as output:
        popen = subprocess.Popen(
            python("-m", "bench.responders", str(plan)),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            text=True,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    process = Process(popen, log)
    try:
        process.wait_for_log("ready", _READY_LIMIT_S, count=len(hosts))
        yield process
    finally:
        process.kill()


@contextmanager
def by_avahi(services: int, hosts: Sequence[Host]) -> Iterator[None]:
    """Announce by one Avahi a host, with a static service file for each service."""
    with ExitStack() as stack, ThreadPoolExecutor(16) as threads:
        daemons = [
            Avahi(
                host,
                [StaticService(name, "_hybridisco._tcp", port, txt=_strings(name)) for name, port in _placed(plan)],
                dbus=False,
            )
            for host, plan in zip(hosts, shared_out(services, hosts, one_name=True), strict=True)
        ]
        for daemon in daemons:
            stack.callback(daemon.kill)
        for _ in threads.map(Avahi.__enter__, daemons):
            pass
        yield


def _placed(plan: Announced) -> Iterator[tuple[str, int]]:
    yield from ((name, FIRST_PORT + number) for number, name in enumerate(plan.names))


def _strings(name: str, version: str = "1") -> list[str]:
    first = ["txtvers=1", f"id={name}-0123456789abcdef", "kind=comfyui", f"ver={version}", "auth=none", "st=ready"]
    return [*first, "cap=image,video,audio", "gpu=NVIDIA GeForce RTX 4090", "vram=24564"]


def _info(plan: Announced, name: str, port: int, version: str = "1") -> ServiceInfo:
    return ServiceInfo(
        SERVICE_TYPE,
        f"{name}.{SERVICE_TYPE}",
        port=port,
        addresses=[ip_address(each).packed for each in plan.addresses],
        properties=dict(each.split("=", 1) for each in _strings(name, version)),
        server=plan.host or f"{name}-host.local.",
    )


class _Orders:
    """What a single host does when it is told to."""

    def __init__(self, plan: Announced, zeroconf: AsyncZeroconf) -> None:
        self._plan = plan
        self._zc = zeroconf.zeroconf
        self._ports: dict[str, int] = {}

    def obey(self, line: str) -> float:
        """Do it; returns the monotonic time just before the packet was sent."""
        order, name, *rest = line.split()
        port = self._ports.setdefault(name, int(rest[0]) if rest else 0)
        info = _info(self._plan, name, port, "2" if order == "update" else "1")
        registry = self._zc.registry
        {"add": registry.async_add, "update": registry.async_update, "goodbye": registry.async_remove}[order](info)
        packet = self._zc.generate_service_broadcast(info, 0 if order == "goodbye" else None)
        at = time.monotonic()
        self._zc.async_send(packet)
        return at


async def _respond(plan: Announced, *, obedient: bool) -> None:
    zeroconf = AsyncZeroconf(ip_version=IPVersion.All)
    await zeroconf.zeroconf.async_wait_for_start()
    for number, (name, port) in enumerate(_placed(plan)):
        info = _info(plan, name, port)
        zeroconf.zeroconf.registry.async_add(info)
        zeroconf.zeroconf.async_send(zeroconf.zeroconf.generate_service_broadcast(info, None))
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0.01)  # its own cache has to hear them all
    await asyncio.sleep(_REPEATED_S)
    print("ready", flush=True)
    orders = _Orders(plan, zeroconf)
    while obedient and (line := await asyncio.to_thread(sys.stdin.readline)):
        print("done", orders.obey(line), flush=True)
    await asyncio.Event().wait()


def _main(path: str) -> None:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a name from the command line
        plans = [Announced(**{**each, "addresses": tuple(each["addresses"])}) for each in json.load(file)]
    for plan in plans[1:]:
        if os.fork() == 0:
            plans = [plan]
            break
    with netns.entered(plans[0].namespace):
        asyncio.run(_respond(plans[0], obedient=len(plans) == 1))


if __name__ == "__main__":
    _main(sys.argv[1])
