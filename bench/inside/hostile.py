"""Servers that try a prober's patience: a tarpit, a drip and a reset; prints their ports and stays."""

from __future__ import annotations

import asyncio

from tests.lab.hostile import drip, reset_on_request, tarpit


async def _main() -> None:
    async with tarpit() as silent, drip() as slow, reset_on_request() as rude:
        print("ready", silent, slow, rude, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
