"""Backends that hold us up, fill our memory or lead us away. The user's own backend is right all the while."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hybridisco import Service, ServiceDiscoveryManager, Status
from hybridisco.core.model import Endpoint
from hybridisco.kinds import BUILTIN
from hybridisco.sources import gate
from hybridisco.sources.probe import REQUEST_LIMIT_S, HttpProbe
from hybridisco.testing.fixtures import StartMockBackend, mock_backend
from tests.attacks.user import PATIENCE_S, seen, watching
from tests.lab import hostile, hostile_http, hostile_ws
from tests.lab.hostile import METADATA_URL, Server
from tests.lab.web import Request, accept_upgrade, answer, read_request

__all__ = ["mock_backend"]

MEMORY_LIMIT = 32 * 1024 * 1024  # octets, of which the attacker in this process takes some


async def both_seen(
    manager: ServiceDiscoveryManager, good: int, bad: int, limit_s: float = PATIENCE_S
) -> tuple[Service, Service]:
    """Return the user's own backend, online, and the attacker's, when it was looked at."""

    def found(port: int) -> Service | None:
        return next((one for one in manager.snapshot.services if one.endpoints[0].port == port), None)

    def done(_: object) -> bool:
        own, other = found(good), found(bad)
        return own is not None and own.status is Status.ONLINE and other is not None and other.status != "stale"

    await manager.discover_all_services(limit_s, until=done)
    own, other = found(good), found(bad)
    assert own is not None
    assert other is not None
    assert own.status is Status.ONLINE
    return own, other


async def attacked(mock_backend: StartMockBackend, server: Server) -> Service:
    """Return how the attacker's backend is shown, beside one that is as it should be; both in time and memory."""
    backend = await mock_backend("comfyui")
    async with server() as port, watching(f"127.0.0.1:{backend.port}", f"127.0.0.1:{port}") as manager:
        tracemalloc.start()
        try:
            started = time.monotonic()
            _, shown = await both_seen(manager, backend.port, port)
            assert time.monotonic() - started < PATIENCE_S
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < MEMORY_LIMIT
    return shown


@pytest.mark.parametrize("server", [hostile.drip, hostile.drip_body, hostile_http.slow_early_hints])
async def test_slow_loris(mock_backend: StartMockBackend, server: Server) -> None:
    """The attacker answers an octet at a time, so that each timeout begins anew, for ever.

    The user sees that place unreachable after two seconds, with a reason, and his own backend online meanwhile.
    """
    shown = await attacked(mock_backend, server)
    assert shown.status is Status.UNREACHABLE
    assert shown.problem


@pytest.mark.parametrize("server", [hostile.gzip_bomb, hostile_http.gzip_twice, hostile_http.deflate_bomb])
async def test_gzip_bomb(mock_backend: StartMockBackend, server: Server) -> None:
    """The attacker's answer unpacks to ten gigabytes.

    A megabyte of it is unpacked at the most. The user sees that something else answers there.
    """
    shown = await attacked(mock_backend, server)
    assert shown.status in (Status.MISMATCH, Status.UNREACHABLE)


@pytest.mark.parametrize("server", [hostile_http.heavy_json, hostile.deep_json, hostile_http.heavy_gradio])
async def test_json_bomb(mock_backend: StartMockBackend, server: Server) -> None:
    """The attacker's JSON is small to send and large to hold, or deeper than a parser's stack.

    It is not taken for JSON. The user sees that something else answers there.
    """
    shown = await attacked(mock_backend, server)
    assert shown.status is Status.MISMATCH


@pytest.mark.parametrize(
    "server",
    [hostile_ws.endless_continuation, hostile_ws.endless_pings, hostile_ws.slow_pings, hostile_ws.endless_binary],
)
async def test_endless_websocket(mock_backend: StartMockBackend, server: Server) -> None:
    """The attacker takes the upgrade and sends frames for ever: fragments, pings, pictures, none of them a status.

    The conversation ends after 16 KiB or two seconds. The user sees that something else answers there.
    """
    shown = await attacked(mock_backend, server)
    assert shown.status in (Status.MISMATCH, Status.UNREACHABLE)


@pytest.mark.parametrize("server", [hostile.redirect, hostile_http.redirects_in_a_ring, hostile_ws.redirected_upgrade])
async def test_redirect_to_the_metadata_address(
    mock_backend: StartMockBackend, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker's every answer leads to the cloud's metadata service: by status, header, page and upgrade.

    Nobody goes there. The user sees that something else answers there.
    """
    dialled: set[str] = set()
    loop = asyncio.get_running_loop()
    real = loop.sock_connect

    async def connect(sock: object, to: tuple[str, int]) -> None:
        dialled.add(to[0])
        await real(sock, to)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "sock_connect", connect)
    shown = await attacked(mock_backend, server)
    assert shown.status is Status.MISMATCH
    assert METADATA_URL not in (shown.problem or "")
    assert dialled == {"127.0.0.1"}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a user has lying about."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("OPENAI_API_KEY", "LITELLM_MASTER_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://me:secret@127.0.0.1:9")


def wants(head: str) -> Callable[[Request], bytes]:
    """A refusal that asks for something."""
    return lambda request: f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n".encode()


def upgrades(request: Request) -> bytes:
    """Cookies with an upgrade."""
    if "sec-websocket-key" in request.headers:
        return accept_upgrade(request)[:-2] + b"Set-Cookie: a=b; Path=/\r\n\r\n"
    return b"HTTP/1.1 426 Upgrade Required\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (wants('401 No\r\nWWW-Authenticate: Basic realm="ComfyUI"'), Status.LOCKED),
        (wants('401 No\r\nWWW-Authenticate: Digest realm="x", nonce="y", qop="auth"'), Status.LOCKED),
        (wants("401 No\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM"), Status.LOCKED),
        (wants("407 No\r\nProxy-Authenticate: Basic"), Status.LOCKED),
        (wants("200 OK\r\nSet-Cookie: session=x; Path=/\r\nSet-Cookie: b=c"), Status.MISMATCH),
        (wants("302 Found\r\nLocation: /login\r\nSet-Cookie: session=x"), Status.MISMATCH),
        (upgrades, Status.MISMATCH),
        (lambda request: answer(b'{"Authorization":"please"}'), Status.MISMATCH),
    ],
)
@pytest.mark.usefixtures("secrets")
async def test_no_credential_leaves(reply: Callable[[Request], bytes], status: Status) -> None:
    """The attacker asks for a login in every way there is, and sets cookies, to see what comes back.

    Nothing does, though the user has keys in his environment and a .netrc. He sees the place locked, or something else.
    """
    requests: list[Request] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            requests.append(await read_request(reader))
            writer.write(reply(requests[-1]))
            await writer.drain()

    async with hostile.serving(handler) as port, watching(f"127.0.0.1:{port}") as manager:
        shown = await seen(manager, lambda one: one.status != "stale")
    assert shown.status is status
    assert len(requests) > 1
    assert {request.method for request in requests} == {"GET"}
    usual = {"host", "user-agent", "accept", "accept-encoding"}
    upgrade = {"upgrade", "connection", "sec-websocket-key", "sec-websocket-version"}
    for request in requests:
        assert set(request.headers) <= usual | (upgrade if "upgrade" in request.headers else set()), request
        assert "secret" not in str(request)


async def test_one_machine_that_hangs_a_hundred_times_holds_up_nobody(
    mock_backend: StartMockBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker's machine has a hundred ports that take connections and say nothing.

    Each costs two seconds, but only in its own machine's places: the user's backend elsewhere is online at once.
    """
    monkeypatch.setattr(gate, "_is_loopback", lambda address: False)  # 127.0.0.2 stands for another machine
    backend = await mock_backend("comfyui", host="127.0.0.1")
    probe = HttpProbe(BUILTIN)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(probe.close)
        ports = [await stack.enter_async_context(hostile.tarpit("127.0.0.2")) for _ in range(100)]
        hanging = [asyncio.create_task(probe.identify(Endpoint("127.0.0.2", port), "comfyui")) for port in ports]
        await asyncio.sleep(0)
        started = time.monotonic()
        found = await probe.identify(Endpoint("127.0.0.1", backend.port), "comfyui")
        assert time.monotonic() - started < REQUEST_LIMIT_S
        assert found.kind == "comfyui"
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
