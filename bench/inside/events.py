"""Our manager, watching: prints each event with the monotonic time at which a subscriber heard of it."""

from __future__ import annotations

import asyncio
import json
import time

from hybridisco import ServiceDiscoveryManager, make_config
from hybridisco.core.model import Event, Snapshot


async def _main() -> None:
    def tell(events: tuple[Event, ...], _: Snapshot) -> None:
        at = time.monotonic()
        for event in events:
            service = event.service
            print(json.dumps({"at": at, "event": event.type, "name": service.name, "ver": service.version}), flush=True)

    async with ServiceDiscoveryManager(make_config({}), sources=["mdns"]) as manager:
        manager.subscribe(tell)
        await manager.discover_all_services()
        print("ready", flush=True)
        await manager.run()


if __name__ == "__main__":
    asyncio.run(_main())
