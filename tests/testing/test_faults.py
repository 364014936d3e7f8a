"""Each fault, as a client meets it."""

from __future__ import annotations

import asyncio
import re
from itertools import product

import aiohttp
import pytest
import websockets

from hybridisco.testing import FAULTS, MOCK_KINDS, MockBackend, faults
from hybridisco.testing.fixtures import StartMockBackend

FIRST_QUESTION = {
    "comfyui": "/system_stats",
    "wan2gp": "/config",
    "litellm": "/public/model_hub/info",
    "rvc": "/config",
    "audioldm": "/config",
}


async def ask(http: aiohttp.ClientSession, backend: MockBackend, path: str | None = None) -> int:
    """The status of the reply to a backend's first question."""
    async with http.get(backend.url + (path or FIRST_QUESTION[backend.kind])) as response:
        await response.read()
        return response.status


def test_the_table_in_the_docstring_has_every_fault_once() -> None:
    assert re.findall(r"^\| `([\w-]+)` ", faults.__doc__ or "", re.MULTILINE) == list(FAULTS)


@pytest.mark.parametrize("kind", MOCK_KINDS)
async def test_in_good_health_the_first_question_is_answered(
    kind: str, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    assert await ask(http, await mock_backend(kind)) == 200


@pytest.mark.parametrize(
    ("fault", "kind"),
    [pair for pair in product(("error", "starting", "busy"), MOCK_KINDS) if pair != ("busy", "comfyui")],
)
async def test_some_faults_have_one_status_for_all_paths(
    fault: str, kind: str, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend(kind, fault=fault)
    status = {"error": 500, "starting": 503, "busy": 429}[fault]

    for path in ("/", FIRST_QUESTION[kind], "/health/readiness", "/nonexistent"):
        assert await ask(http, backend, path) == status


async def test_starting_says_loading_and_when_to_ask_again(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("rvc", fault="starting")

    async with http.get(backend.url + "/config") as response:
        assert (await response.json())["status"] == "loading"
        assert response.headers["Retry-After"] == "5"


async def test_a_busy_comfyui_is_well_but_has_a_deep_queue(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui", fault="busy")

    assert await ask(http, backend) == 200
    prompt = await (await http.get(backend.url + "/prompt")).json()
    assert prompt["exec_info"]["queue_remaining"] == 100


async def test_slow_answers_rightly_but_late(mock_backend: StartMockBackend, http: aiohttp.ClientSession) -> None:
    backend = await mock_backend("comfyui", fault="slow", delay_s=0.1)
    begun = asyncio.get_running_loop().time()

    assert await ask(http, backend) == 200
    assert asyncio.get_running_loop().time() - begun >= 0.09  # less one tick of a coarse clock


async def test_hang_accepts_and_never_answers(mock_backend: StartMockBackend, http: aiohttp.ClientSession) -> None:
    backend = await mock_backend("litellm", fault="hang")
    asking = asyncio.create_task(ask(http, backend))

    await backend.wait_for_request("/public/model_hub/info")
    assert not asking.done()

    backend.set_fault(None)
    assert await ask(http, backend) == 200  # new questions are answered, the old one never
    assert not asking.done()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_hang_holds_a_websocket_before_the_upgrade(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui", fault="hang")

    async def connect() -> None:
        async with websockets.connect(f"ws://127.0.0.1:{backend.port}/ws", open_timeout=None):
            pass

    connecting = asyncio.create_task(connect())
    await backend.wait_for_request("/ws")

    assert not connecting.done()
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)


@pytest.mark.parametrize("fault", [None, "hang", "slow", "refuse"])
async def test_it_closes_within_a_second_whatever_its_clients_do(fault: str | None) -> None:
    loop = asyncio.get_running_loop()
    backend = MockBackend("comfyui", fault=None, delay_s=60.0)
    await backend.start()
    # A client that asks and waits, one that connects and is silent, and one that never closes its WebSocket.
    asking_reader, asking = await asyncio.open_connection("127.0.0.1", backend.port)
    silent_reader, silent = await asyncio.open_connection("127.0.0.1", backend.port)
    socket_reader, socket = await asyncio.open_connection("127.0.0.1", backend.port)
    socket.write(
        b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await socket_reader.readuntil(b'"status"')
    backend.set_fault(fault)
    if fault != "refuse":
        asking.write(b"GET /system_stats HTTP/1.1\r\nHost: a\r\n\r\n")
        await backend.wait_for_request("/system_stats")

    begun = loop.time()
    await backend.close()
    assert loop.time() - begun < 1.0

    for reader, writer in ((asking_reader, asking), (silent_reader, silent), (socket_reader, socket)):
        await asyncio.wait_for(reader.read(), 1.0)  # until the end: the mock has hung up
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", backend.port)


async def test_a_client_that_gives_up_leaves_no_handler_behind(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui", fault="hang")
    before = asyncio.all_tasks()
    _, writer = await asyncio.open_connection("127.0.0.1", backend.port)
    writer.write(b"GET /system_stats HTTP/1.1\r\nHost: a\r\n\r\n")
    await backend.wait_for_request("/system_stats")
    handlers = asyncio.all_tasks() - before
    assert handlers

    writer.close()

    await asyncio.wait_for(asyncio.wait(handlers), 2.0)


async def test_refuse_refuses_at_once_and_comes_back_on_its_port(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui")
    port = backend.port
    for _ in range(3):
        assert await ask(http, backend) == 200
        backend.set_fault("refuse")
        with pytest.raises(aiohttp.ClientConnectionError):  # the kept-alive connection was cut as well
            await ask(http, backend)
        backend.set_fault(None)
    assert await ask(http, backend) == 200
    assert backend.port == port


async def test_refuse_keeps_the_port_for_the_mock(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui", fault="refuse")

    with pytest.raises(OSError, match=f"port {backend.port} on 127.0.0.1 is in use"):
        await mock_backend("comfyui", port=backend.port)


async def test_refuse_may_be_flicked_without_a_pause(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui", fault="refuse")
    for fault in (None, "refuse", "hang", "refuse", "refuse", None, None):
        backend.set_fault(fault)

    assert await ask(http, backend) == 200


@pytest.mark.parametrize(
    ("kind", "path", "status"),
    [
        ("comfyui", "/public/model_hub/info", 200),  # LiteLLM is there
        ("litellm", "/system_stats", 200),  # ComfyUI
        ("wan2gp", "/app_id", 200),  # RVC: Gradio 3
        ("rvc", "/app_id", 200),  # AudioLDM: Gradio 3 with another title
        ("audioldm", "/gradio_api/info", 200),  # Wan2GP: Gradio 5
    ],
)
async def test_wrong_kind_is_the_neighbour_that_takes_its_port(
    kind: str, path: str, status: int, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend(kind, title="Not told", fault="wrong-kind")

    async with http.get(backend.url + path) as response:
        assert response.status == status
        assert "Not told" not in await response.text()


async def test_wrong_kind_can_be_a_plain_web_server(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui", fault="wrong-kind", wrong_kind="web")

    async with http.get(backend.url + "/") as response:
        assert response.headers["Server"].startswith("SimpleHTTP")
    assert await ask(http, backend) == 404


async def test_a_locked_gradio_3_shows_its_login_page(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("rvc", fault="locked")

    async with http.get(backend.url + "/config") as response:
        assert (response.status, await response.json()) == (401, {"detail": "Not authenticated"})
    async with http.get(backend.url + "/") as response:
        page = await response.text()
    assert response.status == 200
    assert '"auth_required":true' in page
    assert "RVC" not in page


async def test_a_locked_comfyui_is_a_proxy_that_wants_a_password(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui", fault="locked")

    for path in ("/system_stats", "/ws"):
        async with http.get(backend.url + path) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Basic ")
            assert response.headers["Server"] == "nginx"


async def test_a_locked_litellm_wants_its_key_on_every_path(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("litellm", fault="locked")

    for path in ("/", "/public/model_hub/info", "/health/liveliness", "/v1/models"):
        async with http.get(backend.url + path) as response:
            assert response.status == 401
            assert (await response.json())["error"]["code"] == "401"


@pytest.mark.parametrize("kind", ["wan2gp", "litellm", "rvc", "audioldm"])
async def test_a_locked_wrapper_wants_a_token(
    kind: str, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend(kind, flavour="wrapper", fault="locked")

    assert await ask(http, backend, "/api/health") == 401


async def test_an_unknown_fault_is_answered_with_those_there_are(mock_backend: StartMockBackend) -> None:
    with pytest.raises(ValueError, match="unknown fault 'sulk': it is one of slow, hang, error, wrong-kind"):
        MockBackend("comfyui", fault="sulk")

    backend = await mock_backend("comfyui", fault="slow")
    with pytest.raises(ValueError, match="it is one of"):
        backend.set_fault("sulk")
    assert backend.fault == "slow"
