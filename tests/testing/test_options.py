"""What a mock's options change in its answers."""

from __future__ import annotations

import json

import aiohttp
import pytest

from hybridisco.testing import MockBackend
from hybridisco.testing.fixtures import StartMockBackend


async def fetch(http: aiohttp.ClientSession, url: str, method: str = "GET", **kwargs: str) -> tuple[int, str]:
    async with http.request(method, url, headers=kwargs) as response:
        return response.status, await response.text()


async def test_comfyui_tells_version_card_and_queue(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui", version="0.4.0", gpu="NVIDIA H100", vram_mib=81920, queue=3)

    stats = json.loads((await fetch(http, backend.url + "/system_stats"))[1])
    queue = json.loads((await fetch(http, backend.url + "/queue"))[1])

    assert stats["system"]["comfyui_version"] == "0.4.0"
    (device,) = stats["devices"]
    assert device["name"] == "cuda:0 NVIDIA H100 : cudaMallocAsync"
    assert device["vram_total"] == device["torch_vram_total"] == 81920 * 1024 * 1024
    assert (len(queue["queue_running"]), len(queue["queue_pending"])) == (1, 2)


async def test_wan2gp_tells_its_version_in_a_heading(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("wan2gp", version="v13.1", title="<b>Wan'GP</b>")

    config = json.loads((await fetch(http, backend.url + "/config"))[1])
    page = (await fetch(http, backend.url + "/"))[1]

    assert "</SUP> v13.1 <FONT" in config["components"][0]["props"]["value"]
    assert config["title"] == "<b>Wan'GP</b>"
    assert "<b>" not in page


async def test_litellm_tells_version_and_title(mock_backend: StartMockBackend, http: aiohttp.ClientSession) -> None:
    backend = await mock_backend("litellm", version="1.80.0", title="Our models")

    hub = json.loads((await fetch(http, backend.url + "/public/model_hub/info"))[1])

    assert (hub["litellm_version"], hub["docs_title"]) == ("1.80.0", "Our models")
    assert "<title>Our models - Swagger UI</title>" in (await fetch(http, backend.url + "/"))[1]


async def test_litellm_without_a_key_lists_its_models(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("litellm", auth="none")

    models = json.loads((await fetch(http, backend.url + "/v1/models"))[1])

    assert models["data"][0]["owned_by"] == "openai"
    assert (await fetch(http, backend.url + "/health"))[0] == 200
    assert backend.paid_calls == 1
    assert (await fetch(http, backend.url + "/v1/chat/completions", "POST"))[0] == 400


@pytest.mark.parametrize(
    ("kind", "path"),
    [("wan2gp", "/api/health"), ("litellm", "/health"), ("rvc", "/api/status"), ("audioldm", "/api/ready")],
)
async def test_a_wrapper_names_its_service_at_the_endpoint_of_the_mission(
    kind: str, path: str, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend(kind, flavour="wrapper", version="1.2.3", gpu="A10")

    status, body = await fetch(http, backend.url + path)

    assert status == 200
    assert json.loads(body) == {"status": "ok", "service": kind, "version": "1.2.3", "gpu": "A10"}
    assert (await fetch(http, backend.url + "/config"))[0] == 404


async def test_a_comfyui_wrapper_has_the_websocket_alone(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("comfyui", flavour="wrapper")

    assert (await fetch(http, backend.url + "/system_stats"))[0] == 404
    assert (await fetch(http, backend.url + "/ws"))[0] == 400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "ollama"}, "unknown kind of mock 'ollama': it is one of comfyui, wan2gp"),
        ({"flavour": "plain"}, "unknown flavour 'plain': it is one of upstream, wrapper"),
        ({"auth": "maybe"}, "it is one of key, none, broken"),
        ({"wrong_kind": "ollama"}, "unknown wrong_kind 'ollama': it is one of comfyui"),
        ({"queue": -1}, "0 or more, not -1"),
        ({"vram_mib": 0}, "1 or more, not 0"),
        ({"delay_s": -0.1}, "0 or more, not -0.1"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_allowed(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MockBackend(**{"kind": "comfyui"} | arguments)  # type: ignore[arg-type]
