"""What a mock notes of its visitors, and how it takes their methods, headers and upgrades."""

from __future__ import annotations

import asyncio
import json
import re

import aiohttp
import pytest
import websockets

from hybridisco.testing.fixtures import StartMockBackend


async def fetch(http: aiohttp.ClientSession, url: str, method: str = "GET", **kwargs: str) -> tuple[int, str]:
    async with http.request(method, url, headers=kwargs) as response:
        return response.status, await response.text()


# -- what it notes ------------------------------------------------------------------------------------------


async def test_requests_are_noted_with_method_path_headers_and_query(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui")

    await fetch(http, backend.url + "/system_stats?a=b", Origin="http://evil.example")
    await fetch(http, backend.url + "/queue", "POST")

    assert backend.calls == [("GET", "/system_stats"), ("POST", "/queue")]
    assert backend.requests[0].query == {"a": "b"}
    assert backend.requests[0].headers["origin"] == "http://evil.example"
    assert "origin" not in backend.requests[1].headers


async def test_waiting_for_a_request_that_never_comes_ends(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui")

    with pytest.raises(TimeoutError):
        await backend.wait_for_request(timeout_s=0.01)


FREE = [("GET", path) for path in ("/", "/health/liveliness", "/health/readiness", "/v1/models")]
PAID = [("GET", "/health"), ("POST", "/v1/chat/completions")]


@pytest.mark.parametrize("fault", [None, "hang", "error"])
@pytest.mark.parametrize(("calls", "paid"), [(FREE, 0), (FREE + PAID, len(PAID))])
async def test_calls_that_cost_money_are_counted_whatever_becomes_of_them(
    calls: list[tuple[str, str]],
    paid: int,
    fault: str | None,
    mock_backend: StartMockBackend,
    http: aiohttp.ClientSession,
) -> None:
    backend = await mock_backend("litellm", fault=fault)

    asking = [asyncio.create_task(fetch(http, backend.url + path, method)) for method, path in calls]
    await backend.wait_for_request(count=len(calls))

    assert backend.paid_calls == paid
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_the_health_of_a_wrapper_costs_nothing(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("litellm", flavour="wrapper")

    assert (await fetch(http, backend.url + "/health"))[0] == 200
    assert backend.paid_calls == 0


# -- methods and headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "method", "path", "status"),
    [
        ("comfyui", "HEAD", "/system_stats", 200),
        ("comfyui", "POST", "/system_stats", 405),
        ("comfyui", "POST", "/prompt", 400),
        ("litellm", "HEAD", "/health/liveliness", 405),
        ("litellm", "POST", "/health/liveliness", 405),
        ("litellm", "GET", "/v1/models", 401),
        ("litellm", "GET", "/health", 401),
        ("litellm", "POST", "/v1/chat/completions", 401),
        ("litellm", "GET", "/v1/chat/completions", 405),
        ("wan2gp", "HEAD", "/", 200),
        ("wan2gp", "HEAD", "/config", 405),
        ("wan2gp", "POST", "/api/health", 404),
        ("rvc", "HEAD", "/", 200),
        ("rvc", "HEAD", "/api/status", 405),
        ("rvc", "POST", "/api/status", 422),
        ("rvc", "GET", "/api/a/b", 404),
        ("audioldm", "POST", "/config", 405),
        ("web", "HEAD", "/", 200),
        ("web", "POST", "/", 501),
    ],
)
async def test_methods_are_taken_as_by_the_real_program(
    kind: str, method: str, path: str, status: int, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend(kind)

    assert (await fetch(http, backend.url + path, method))[0] == status


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://evil.example", None, 403),
        ("http://127.0.0.1:1", None, 403),
        ("http://127.0.0.1", None, 200),  # a port counts only when both name one
        ("http://evil.example", "gpu-box:8188", 200),  # only the loopback host is guarded
        ("null", None, 200),
    ],
)
async def test_comfyui_refuses_pages_from_elsewhere(
    origin: str, host: str | None, status: int, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui")
    headers = {"Origin": origin} | ({"Host": host} if host else {})

    assert (await fetch(http, backend.url + "/system_stats", **headers))[0] == status


async def test_comfyui_lets_its_own_page_in(mock_backend: StartMockBackend, http: aiohttp.ClientSession) -> None:
    backend = await mock_backend("comfyui")

    assert (await fetch(http, backend.url + "/api/system_stats", Origin=backend.url))[0] == 200


@pytest.mark.parametrize(("origin", "host"), [("http://[", "127.0.0.1"), ("http://a", "127.0.0.1:x")])
async def test_comfyui_refuses_what_it_cannot_read(
    origin: str, host: str, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui")

    assert (await fetch(http, backend.url + "/system_stats", Origin=origin, Host=host))[0] == 403


# -- ComfyUI's WebSocket ------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", ["upstream", "wrapper"])
async def test_the_first_frame_is_the_status_with_a_fresh_sid(flavour: str, mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui", flavour=flavour, queue=2)

    sids = set()
    for _ in range(2):
        async with websockets.connect(f"ws://127.0.0.1:{backend.port}/ws") as socket:
            frame = json.loads(await socket.recv())
        assert frame["type"] == "status"
        assert frame["data"]["status"] == {"exec_info": {"queue_remaining": 2}}
        sids.add(frame["data"]["sid"])
    assert len(sids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", sid) for sid in sids)


async def test_a_client_that_names_itself_gets_its_name_back(mock_backend: StartMockBackend) -> None:
    backend = await mock_backend("comfyui")

    async with websockets.connect(f"ws://127.0.0.1:{backend.port}/ws?clientId=me") as socket:
        assert json.loads(await socket.recv())["data"]["sid"] == "me"
    assert backend.requests[0].query == {"clientId": "me"}


@pytest.mark.parametrize(("kind", "status"), [("wan2gp", 403), ("litellm", 403), ("rvc", 403), ("web", 404)])
async def test_the_others_have_no_websocket_there(kind: str, status: int, mock_backend: StartMockBackend) -> None:
    backend = await mock_backend(kind)

    with pytest.raises(websockets.InvalidStatus) as refusal:
        await websockets.connect(f"ws://127.0.0.1:{backend.port}/ws")
    assert refusal.value.response.status_code == status
