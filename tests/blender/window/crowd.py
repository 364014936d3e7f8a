"""Many announced backends in one process: ``python -m tests.blender.window.crowd 50 9000 ADDRESS``.

Each answers as a ComfyUI and is announced with the TXT record of our sidecar, signed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from ipaddress import ip_address

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hybridisco import SERVICE_TYPE, SigningKey, sign_txt
from hybridisco.testing import MockBackend


async def serve(count: int, first_port: int, address: str) -> None:
    """Serve and announce until the process is ended."""
    async with AsyncExitStack() as stack:
        for number in range(count):
            await stack.enter_async_context(MockBackend("comfyui", host=address, port=first_port + number))
        zeroconf = AsyncZeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
        key = SigningKey(SigningKey.make())
        infos = [_info(number, first_port + number, address, key) for number in range(count)]
        # Their names are nobody else's: nothing to ask before, which takes half a second each.
        told = [await zeroconf.async_register_service(info, cooperating_responders=True) for info in infos]
        await asyncio.gather(*told)
        print(f"Announced: {count}", flush=True)
        await asyncio.Event().wait()


def _info(number: int, port: int, address: str, key: SigningKey) -> ServiceInfo:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    identity = f"{'a' * 24}{letters[number // 32]}{letters[number % 32]}"
    told = {"txtvers": "1", "id": identity, "kind": "comfyui", "ver": "0.3.64", "st": "ready"}
    return ServiceInfo(
        SERVICE_TYPE,
        f"ComfyUI {number}.{SERVICE_TYPE}",
        port=port,
        addresses=[ip_address(address).packed],
        properties=sign_txt(told, port, [address], key, time.time()),
        server=f"node-{number}.local.",
    )


def main(arguments: Sequence[str]) -> None:
    count, first_port, address = arguments
    asyncio.run(serve(int(count), int(first_port), address))


if __name__ == "__main__":
    main(sys.argv[1:])
