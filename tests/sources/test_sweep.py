"""The sweep: what it finds, what it takes back, and how often it asks."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from hybridisco.core.kind import Kind
from hybridisco.core.model import Announcement, Status, Withdrawal
from hybridisco.kinds import BUILTIN
from hybridisco.sources import sweep
from hybridisco.sources.probe import HttpProbe
from hybridisco.sources.sweep import SweepSource
from hybridisco.testing import MOCK_KINDS, MockBackend
from hybridisco.testing.fixtures import StartMockBackend
from tests.lab import hostile
from tests.lab.web import answer, read_request
from tests.sources.conftest import Recorder, running

FOR_EVER_S = 1000.0  # from one sweep to the next: the test asks for each


@pytest_asyncio.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    made = HttpProbe(BUILTIN)
    yield made
    await made.close()


@pytest.fixture
def sink() -> Recorder:
    return Recorder()


def sweeping(
    probe: HttpProbe,
    *ports: int,
    hosts: Sequence[str] = ("localhost",),
    kinds: Sequence[Kind] = (),
    again_s: float = FOR_EVER_S,
) -> SweepSource:
    async def identifier() -> HttpProbe:
        return probe

    return SweepSource(identifier, hosts, [(port, port) for port in ports], kinds, again_s)


async def test_it_finds_what_listens_on_either_loopback_address(
    probe: HttpProbe, mock_backend: StartMockBackend, sink: Recorder
) -> None:
    backends = [await mock_backend(kind) for kind in MOCK_KINDS]
    backends.append(await mock_backend("comfyui", host="::1"))
    source = sweeping(probe, *(one.port for one in backends))
    assert source.state.state == "running"
    async with running(source, sink):
        await asyncio.wait_for(source.settled(), 5)
        assert source.state.state == "ok"
        found = {(said.endpoints[0].address, said.endpoints[0].port): said for said in sink.standing.values()}
        for backend in backends[:-1]:
            said = found["127.0.0.1", backend.port]
            assert (said.kind, said.host, said.standing) == (backend.kind, "localhost", True)
            assert said.endpoints[0].url == backend.url
        assert found["::1", backends[-1].port].kind == "comfyui"
        assert len(found) == len(backends)


async def test_the_kinds_own_ports_are_searched_besides(probe: HttpProbe) -> None:
    source = SweepSource(lambda: asyncio.sleep(0, probe), ["localhost"], [(8000, 8002), (8002, 8003)], BUILTIN)
    assert {8188, 7860, 4000, 7865, 7863, 8000, 8001, 8002, 8003} <= set(source.ports)
    assert len(source.ports) == len(set(source.ports))


async def test_with_no_port_open_the_probe_is_not_even_made(sink: Recorder) -> None:
    async def identifier() -> HttpProbe:
        raise AssertionError("importing the probe takes 0.2 s")

    async with MockBackend("comfyui", fault="refuse") as closed:
        source = SweepSource(identifier, ["localhost"], [(closed.port, closed.port)], ())
        async with running(source, sink):
            await asyncio.wait_for(source.settled(), 5)
    assert sink.log == []


async def test_what_stops_is_withdrawn_and_what_comes_back_is_found(
    probe: HttpProbe, mock_backend: StartMockBackend, sink: Recorder
) -> None:
    backend = await mock_backend("comfyui")
    source = sweeping(probe, backend.port, again_s=0.05)
    async with running(source, sink):
        await sink.until(lambda: sink.kinds == ["comfyui"])
        backend.set_fault("refuse")
        await sink.until(lambda: sink.kinds == [])
        assert isinstance(sink.log[-1], Withdrawal)
        backend.set_fault(None)
        await sink.until(lambda: sink.kinds == ["comfyui"])


async def test_a_rescan_happens_at_once(probe: HttpProbe, mock_backend: StartMockBackend, sink: Recorder) -> None:
    source = sweeping(probe, *range(18000, 18010))
    async with running(source, sink):
        await asyncio.wait_for(source.settled(), 5)
        await mock_backend("rvc", port=18004)
        started = time.monotonic()
        source.rescan()
        await sink.until(lambda: sink.kinds == ["rvc"])
        assert time.monotonic() - started < 1.0


async def test_another_kind_on_the_same_port_is_noticed(probe: HttpProbe, sink: Recorder) -> None:
    async with MockBackend("comfyui") as backend:
        port = backend.port
        source = sweeping(probe, port)
        task = asyncio.create_task(source.run(sink))
        await sink.until(lambda: sink.kinds == ["comfyui"])
    async with MockBackend("litellm", port=port):
        source.rescan()
        await sink.until(lambda: sink.kinds == ["litellm"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_of_no_known_kind_is_asked_seldom(
    probe: HttpProbe, mock_backend: StartMockBackend, sink: Recorder
) -> None:
    known, unknown = await mock_backend("comfyui"), await mock_backend("web")
    source = sweeping(probe, known.port, unknown.port, again_s=0.02)
    async with running(source, sink):
        await sink.until(lambda: len(sink.kinds) == 2)
        asked = len(unknown.requests)
        await known.wait_for_request("/system_stats", count=6)
        assert len(unknown.requests) == asked
        source.rescan()  # but when somebody wants to know now, everything is asked
        await unknown.wait_for_request(count=asked + 1)


async def test_what_hangs_is_said_to_be_silent_and_what_never_spoke_is_only_counted(
    probe: HttpProbe, mock_backend: StartMockBackend, sink: Recorder
) -> None:
    backend = await mock_backend("comfyui")
    async with hostile.tarpit() as mute:
        source = sweeping(probe, backend.port, mute)
        async with running(source, sink):
            await asyncio.wait_for(source.settled(), 5)
            assert sink.kinds == ["comfyui"]
            assert source.state.detail == f"open, but no answer: 127.0.0.1:{mute}"
            assert [(place.address, place.port) for place in source.state.silent] == [("127.0.0.1", mute)]
            backend.set_fault("hang")
            source.rescan()
            await sink.until(lambda: _last(sink).status is Status.UNREACHABLE)
            assert sink.kinds == ["comfyui"], "it is still what it was"


def _last(sink: Recorder):  # type: ignore[no-untyped-def]
    said = sink.log[-1]
    assert isinstance(said, Announcement)
    assert said.finding is not None
    return said.finding


async def test_a_port_that_speaks_tls_is_found_as_https(probe: HttpProbe, sink: Recorder) -> None:
    if reason := hostile.tls_available():
        pytest.skip(reason)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await read_request(reader)).path
        writer.write(answer(b'{"service": "rvc", "status": "ok"}' if path == "/api/status" else b"{}"))

    async with hostile.serving(handler, tls=hostile.self_signed()) as port:
        source = sweeping(probe, port)
        async with running(source, sink):
            await asyncio.wait_for(source.settled(), 5)
            (said,) = sink.standing.values()
            assert (said.kind, said.endpoints[0].url) == ("rvc", f"https://127.0.0.1:{port}")
            asked = len(sink.log)
            source.rescan()
            await sink.until(lambda: len(sink.log) > asked)
            assert sink.kinds == ["rvc"]


async def test_a_port_that_changes_between_http_and_https_is_followed(probe: HttpProbe, sink: Recorder) -> None:
    if reason := hostile.tls_available():
        pytest.skip(reason)
    async with MockBackend("comfyui") as backend:
        port = backend.port
        source = sweeping(probe, port)
        task = asyncio.create_task(source.run(sink))
        await sink.until(lambda: sink.kinds == ["comfyui"])

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await read_request(reader)).path
        writer.write(answer(b'{"service": "rvc", "status": "ok"}' if path == "/api/status" else b"{}"))

    def url() -> str:
        return next(iter(sink.standing.values())).endpoints[0].url

    server = await asyncio.start_server(_closing(handler), "127.0.0.1", port, ssl=hostile.self_signed())
    async with server:
        source.rescan()
        await sink.until(lambda: sink.kinds == ["rvc"])
        assert url() == f"https://127.0.0.1:{port}"
    async with MockBackend("comfyui", port=port):
        source.rescan()
        await sink.until(lambda: sink.kinds == ["comfyui"])
        assert url() == f"http://127.0.0.1:{port}"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _closing(handler: hostile.Handler) -> hostile.Handler:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            await handler(reader, writer)
            writer.close()

    return converse


async def test_a_host_without_an_address_is_told_and_the_others_are_found(
    probe: HttpProbe, mock_backend: StartMockBackend, sink: Recorder
) -> None:
    backend = await mock_backend("comfyui")
    source = sweeping(probe, backend.port, hosts=("no-such-host.invalid", "127.0.0.1"))
    async with running(source, sink):
        await asyncio.wait_for(source.settled(), 10)
        assert source.state.state == "partial"
        assert "no-such-host.invalid" in str(source.state.detail)
        assert sink.kinds == ["comfyui"]


async def test_a_named_host_is_spoken_to_by_its_name(
    probe: HttpProbe, mock_backend: StartMockBackend, sink: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str) -> tuple[tuple[str, None], ...]:
        assert host == "gpu-box"
        return (("127.0.0.1", None),)

    monkeypatch.setattr(sweep, "resolve", resolve)  # stands for a name server
    backend = await mock_backend("comfyui")
    source = sweeping(probe, backend.port, hosts=("gpu-box",))
    async with running(source, sink):
        await asyncio.wait_for(source.settled(), 5)
    (said,) = sink.standing.values()
    assert (said.host, said.endpoints[0].url) == ("gpu-box", f"http://gpu-box:{backend.port}")
    assert backend.requests[0].headers["host"] == f"gpu-box:{backend.port}"


@pytest.mark.timeout(120)
async def test_three_hundred_rescans_leave_nothing_behind(probe: HttpProbe, sink: Recorder) -> None:
    async with AsyncExitStack() as stack:
        backends = [await stack.enter_async_context(MockBackend(kind)) for kind in MOCK_KINDS]
        source = sweeping(probe, *(one.port for one in backends))
        await stack.enter_async_context(running(source, sink))
        await asyncio.wait_for(source.settled(), 5)

        async def rescan(times: int) -> tuple[int, int, int]:
            for _ in range(times):
                sink.log.clear()
                for backend in backends:
                    backend.requests.clear()
                source.rescan()
                await sink.until(lambda: len(sink.log) == len(backends))
            gc.collect()
            return _descriptors(), len(asyncio.all_tasks()), _resident_kib()

        before = await rescan(50)
        after = await rescan(250)
    assert after[0] <= before[0] + 5
    assert after[1] <= before[1] + 5
    assert after[2] <= before[2] + 4096


def _descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def _resident_kib() -> int:
    """Return the memory of this process, where the system tells it."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024 if statm.exists() else 0
