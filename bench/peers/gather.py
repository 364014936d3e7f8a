"""Who listens here, and what is it? As one would write it at first: everything at once, by asyncio or by aiohttp.

Each asks every port one question (ComfyUI's also for a WebSocket), and knows none of what it gets: identifying takes
more. :func:`epoll` is the floor: one loop over sockets, the same kept for connecting and asking.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp

from bench.measure import Sample

Measure = Callable[[], Awaitable[Sample]]
ADDRESSES = ("127.0.0.1", "::1")
COMFYUI = 8188
_PATHS = {COMFYUI: "/system_stats", 4000: "/health/liveliness"}
_UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def _path(port: int) -> str:
    return _PATHS.get(port, "/config")


def _get(port: int) -> bytes:
    return f"GET {_path(port)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


async def streams(ports: list[int]) -> Measure:
    """``asyncio.open_connection`` to everything at once."""

    async def one(address: str, port: int) -> bool:
        try:
            reader, writer = await asyncio.open_connection(address, port)
        except OSError:
            return False
        writer.write(_get(port))
        said = await reader.read()
        writer.close()
        if port == COMFYUI:
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(_UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            await reader.read(64)
            writer.close()
        return said.startswith(b"HTTP/1.1 ")

    async def measure() -> Sample:
        began, cpu = time.perf_counter(), time.process_time()
        found = await asyncio.gather(*(one(address, port) for address in ADDRESSES for port in ports))
        return _sample(began, cpu, sum(found))

    return measure


async def naive_aiohttp(ports: list[int]) -> Measure:
    """One aiohttp session, every URL at once."""

    async def one(session: aiohttp.ClientSession, base: str, port: int) -> bool:
        try:
            async with session.get(f"{base}:{port}{_path(port)}") as response:
                await response.text()
        except (aiohttp.ClientError, OSError):
            return False
        if port == COMFYUI:
            async with session.ws_connect(f"{base}:{port}/ws") as websocket:
                await websocket.receive()
        return True

    async def measure() -> Sample:
        began, cpu = time.perf_counter(), time.process_time()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            bases = ("http://127.0.0.1", "http://[::1]")
            found = await asyncio.gather(*(one(session, base, port) for base in bases for port in ports))
        return _sample(began, cpu, sum(found))

    return measure


async def epoll(ports: list[int]) -> Measure:
    """The floor: non-blocking connects, then one request on each socket that is open, in one loop."""

    async def measure() -> Sample:
        began, cpu = time.perf_counter(), time.process_time()
        return _sample(began, cpu, _epoll(ports))

    return measure


def _epoll(ports: list[int]) -> int:
    found, waiting = 0, 0
    with selectors.DefaultSelector() as selector:

        def ask(address: str, port: int, request: bytes) -> None:
            nonlocal waiting
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            sock.setblocking(False)
            if sock.connect_ex((address, port)) and sock.connect_ex((address, port)):
                sock.close()
                return
            with suppress(OSError):
                sock.send(request)
                selector.register(sock, selectors.EVENT_READ, request)
                waiting += 1

        for address in ADDRESSES:
            for port in ports:
                ask(address, port, _get(port))
                if port == COMFYUI:
                    ask(address, port, _UPGRADE)
        while waiting:
            for key, _ in selector.select(1.0):
                sock: socket.socket = key.fileobj  # type: ignore[assignment]
                said = sock.recv(65536)
                found += said.startswith(b"HTTP/1.1 200")
                if not said or key.data is _UPGRADE:
                    selector.unregister(sock)
                    sock.close()
                    waiting -= 1
    return found


def _sample(began: float, cpu: float, found: int) -> Sample:
    took, used = time.perf_counter() - began, time.process_time() - cpu
    return {"ms": took * 1000, "cpu_ms": used * 1000, "found": float(found)}
