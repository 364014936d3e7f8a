"""A manager that keeps its registry true: says every few seconds what it uses."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

from bench.usage import cpu_s, usage
from hybridisco import ServiceDiscoveryManager, make_config

_EVERY_S = 5.0


async def _main(rescan_s: float) -> None:
    config = make_config({"probe": {"rescan_s": rescan_s}})
    async with ServiceDiscoveryManager(config) as manager:
        running = asyncio.create_task(manager.run())
        began = time.monotonic()
        while not running.done():
            await asyncio.sleep(_EVERY_S)
            mib, descriptors = usage("self")
            snapshot = manager.snapshot
            facts = {
                "s": time.monotonic() - began,
                "mib": mib,
                "descriptors": descriptors,
                "tasks": len(asyncio.all_tasks()),
                "threads": threading.active_count(),
                "cpu_s": cpu_s("self"),
                "services": len(snapshot.services),
                "online": sum(service.usable for service in snapshot.services),
            }
            print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1])))
