"""The probe against every mock backend, in health and in trouble: right, in time, and polite."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from hybridisco.core import problems
from hybridisco.core.model import Endpoint, Finding, Status
from hybridisco.kinds import BUILTIN
from hybridisco.sources.probe import HttpProbe
from hybridisco.testing import FAULTS, MOCK_KINDS, MockBackend
from hybridisco.testing.fixtures import StartMockBackend
from tests.lab import hostile
from tests.lab.web import Request, answer, read_request

LOOPBACK = "127.0.0.1"


@pytest_asyncio.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    made = HttpProbe(BUILTIN)
    yield made
    await made.close()


def endpoint(port: int, **more: object) -> Endpoint:
    return Endpoint(LOOPBACK, port, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("claimed", [True, False], ids=["claimed", "unclaimed"])
@pytest.mark.parametrize("flavour", ["upstream", "wrapper"])
@pytest.mark.parametrize("kind", MOCK_KINDS)
async def test_every_kind_is_known_on_any_port(
    probe: HttpProbe, mock_backend: StartMockBackend, kind: str, flavour: str, claimed: bool
) -> None:
    backend = await mock_backend(kind, flavour=flavour)
    found = await probe.identify(endpoint(backend.port), kind if claimed else None)
    # LiteLLM's /health is never asked by default, not even where it is a wrapper's: the real one costs money.
    known = None if (kind, flavour) == ("litellm", "wrapper") else kind
    assert (found.kind, found.status) == (known, Status.ONLINE)
    assert found.latency_ms is not None
    assert backend.paid_calls == 0


async def test_facts_are_read(probe: HttpProbe, mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui", queue=3, gpu="NVIDIA RTX 4090", vram_mib=24564, version="0.9.1")
    found = await probe.identify(endpoint(backend.port))
    assert found.version == "0.9.1"
    assert dict(found.properties) == {"gpu": "NVIDIA RTX 4090", "vram_mib": 24564, "queue": 3}
    assert "image" in found.capabilities


def _healthy(kind: str, found: Finding) -> bool:
    return (found.kind, found.status) == (kind, Status.ONLINE)


#: What is right to say of a kind with each fault.
VERDICTS: dict[str, Callable[[str, Finding], bool]] = {
    "slow": _healthy,
    "hang": lambda _, found: (found.status, found.cause) == (Status.UNREACHABLE, problems.SILENT),
    "error": lambda _, found: found.kind is None and found.status is not Status.UNREACHABLE,
    "wrong-kind": lambda kind, found: found.kind != kind and found.alive,
    "locked": lambda kind, found: found.kind in (kind, "gradio", None) and found.status is Status.LOCKED,
    "starting": lambda kind, found: found.kind in (kind, None) and found.status is Status.STARTING,
    "busy": lambda kind, found: found.kind in (kind, None) and found.status is Status.BUSY,
    "refuse": lambda _, found: (found.status, found.cause) == (Status.UNREACHABLE, problems.REFUSED),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_is_told_as_what_it_is(probe: HttpProbe, mock_backend: StartMockBackend, fault: str) -> None:
    backends = [await mock_backend(kind, fault=fault, delay_s=0.2) for kind in MOCK_KINDS]
    started = time.monotonic()
    found = await asyncio.gather(*(probe.identify(endpoint(one.port), one.kind) for one in backends))
    assert time.monotonic() - started < 5
    for backend, finding in zip(backends, found, strict=True):
        assert VERDICTS[fault](backend.kind, finding), (backend.kind, finding)
        assert backend.paid_calls == 0


async def test_requests_are_polite(probe: HttpProbe, mock_backend: StartMockBackend) -> None:
    """GET and the upgrade only; nothing by which a server could take us for a web page, or know us again."""
    backends = [await mock_backend(kind) for kind in (*MOCK_KINDS, "web")]
    backends.append(await mock_backend("comfyui", flavour="wrapper"))  # known by its WebSocket
    for backend in backends:
        await probe.identify(endpoint(backend.port))
        await probe.identify(endpoint(backend.port), "comfyui")
        for request in backend.requests:
            assert request.method == "GET"
            assert request.headers["host"] == f"{LOOPBACK}:{backend.port}"
            assert request.headers["user-agent"].startswith("hybridisco/")
            names = set(request.headers)
            assert not names & {"origin", "cookie", "referer", "authorization"}
            assert not {name for name in names if name.startswith("sec-fetch")}
        paths = [request.path for request in backend.requests if not request.wants_websocket]
        assert len(paths) <= 2 * len(set(paths)), "a path is asked once at each look"
        assert backend.paid_calls == 0


async def test_the_name_that_the_user_wrote_is_the_host(probe: HttpProbe, mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui")
    await probe.identify(endpoint(backend.port, host="gpu-box"))
    assert {request.headers["host"] for request in backend.requests} == {f"gpu-box:{backend.port}"}


async def test_ipv6(probe: HttpProbe, mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui", host="::1", flavour="wrapper")
    found = await probe.identify(Endpoint("::1", backend.port), "comfyui")
    assert found.kind == "comfyui"
    assert {request.headers["host"] for request in backend.requests} == {f"[::1]:{backend.port}"}


async def test_a_base_path_goes_before_every_path(probe: HttpProbe) -> None:
    asked: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        asked.append(request.path)
        writer.write(answer(b"{}"))

    async with hostile.serving(handler) as port:
        await probe.identify(endpoint(port, path="/base"))
    assert asked
    assert all(path.startswith("/base/") for path in asked)


async def test_cookies_are_not_sent_back(probe: HttpProbe) -> None:
    seen: list[Request] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(answer(b"<html></html>", "text/html\r\nSet-Cookie: session=1; Path=/"))

    async with hostile.serving(handler) as port:
        await probe.identify(endpoint(port), "comfyui")
        await probe.identify(endpoint(port), "comfyui")
    assert len(seen) > 2
    assert not [request for request in seen if "cookie" in request.headers]


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_no_redirect_is_followed(probe: HttpProbe, scheme: str) -> None:
    visitors: list[str] = []

    async def victim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(str(writer.get_extra_info("peername")))
        await reader.read(1)

    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(hostile.serving(victim))
        port = await stack.enter_async_context(hostile.redirect(f"{scheme}://{LOOPBACK}:{there}/ws"))
        found = await probe.identify(endpoint(port), "comfyui")
    assert found.kind is None
    assert visitors == []


async def test_an_upgrade_is_no_proof(probe: HttpProbe) -> None:
    """Janus WebRTC listens on 8188 too, and takes any WebSocket."""
    async with hostile.websocket_flood() as port:
        found = await probe.identify(endpoint(port), "comfyui")
    assert (found.kind, found.alive) == (None, True)


async def test_tls_and_plain_http_are_told_apart(probe: HttpProbe) -> None:
    if reason := hostile.tls_available():
        pytest.skip(reason)
    async with hostile.tls_only() as port:
        assert (await probe.identify(endpoint(port, tls=True))).alive
        plain = await probe.identify(endpoint(port))
        assert (plain.kind, plain.status) == (None, Status.UNREACHABLE)
    async with MockBackend("comfyui") as backend:
        found = await probe.identify(endpoint(backend.port, tls=True))
        assert (found.status, found.cause) == (Status.UNREACHABLE, problems.NO_TLS)


async def test_who_hung_up_once_is_asked_again(probe: HttpProbe, mock_backend: StartMockBackend) -> None:
    calls = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await read_request(reader)
        if calls > 1:
            writer.write(answer(b'{"service": "RVC", "status": "ok"}'))

    async with hostile.serving(handler) as port:
        found = await probe.identify(endpoint(port), "rvc")
    assert (found.kind, found.status) == ("rvc", Status.ONLINE)


async def test_a_name_without_an_address_is_not_dialled(probe: HttpProbe) -> None:
    said = await probe.check(Endpoint("", 8188, host="no-such-host.invalid"), "comfyui")
    assert said.finding is not None
    assert (said.finding.status, said.finding.cause) == (Status.UNREACHABLE, problems.UNRESOLVED)
    assert not said.standing


async def test_there_is_a_limit_to_one_look() -> None:
    probe = HttpProbe(BUILTIN, limit_s=0.2)
    try:
        async with MockBackend("comfyui", fault="slow", delay_s=0.15) as backend:
            started = time.monotonic()
            found = await probe.identify(endpoint(backend.port))
            assert time.monotonic() - started < 1.0
            assert found.kind in ("comfyui", None)
    finally:
        await probe.close()
