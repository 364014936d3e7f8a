"""Servers that accept and hang up, at both loopback addresses: ``python -m bench.inside.listeners PORT …``."""

from __future__ import annotations

import asyncio
import sys


async def _main(ports: list[int]) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    servers = [await asyncio.start_server(hang_up, ["127.0.0.1", "::1"], port, backlog=1024) for port in ports]
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_main([int(port) for port in sys.argv[1:]]))
