"""A mock answers as the real program did: every recorded path, its status, headers and the shape of its body."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hybridisco.testing.fixtures import StartMockBackend

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"

MOCK_OF: dict[str, tuple[str, dict[str, Any]]] = {
    "audioldm.gradio-3.50.2": ("audioldm", {}),
    "comfyui-0.3.64": ("comfyui", {}),
    "http.server": ("web", {}),
    # The recorded proxy had a key, but not the database package that checks keys.
    "litellm-1.109.1-keyed": ("litellm", {"auth": "broken"}),
    "rvc-webui.gradio-3.50.2": ("rvc", {}),
    "wangp.gradio-5.49.1": ("wan2gp", {}),
    "wangp-login.gradio-5.49.1": ("wan2gp", {"fault": "locked"}),
}
NOT_MOCKED = {"plain.gradio-6.31.0"}  # a Gradio program that is no backend
SAME_HEADERS = ("content-type", "server", "allow", "transfer-encoding", "x-frame-options")


def recorded(server: str) -> list[dict[str, Any]]:
    document = json.loads((RECORDINGS / f"{server}.json").read_text(encoding="utf-8"))
    replies: list[dict[str, Any]] = document["replies"]
    return replies


CASES = [pytest.param(server, reply, id=f"{server}{reply['path']}") for server in MOCK_OF for reply in recorded(server)]


def shape(value: Any) -> Any:
    """A JSON value with its types in place of its values; a list becomes the distinct shapes of its items."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    return type(value).__name__


def script_value(page: str, name: str) -> Any:
    """What a page assigns to `window.<name>`, None if it does not."""
    assignment = f"window.{name} = "
    start = page.find(assignment)
    return None if start < 0 else json.JSONDecoder().raw_decode(page[start + len(assignment) :])[0]


def titles(page: str) -> list[str]:
    return re.findall(r'<title>(.*?)</title>|<meta property="og:title" content="(.*?)" />', page)


@pytest.mark.parametrize(("server", "reply"), CASES)
async def test_the_mock_answers_as_recorded(
    server: str, reply: dict[str, Any], mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    kind, arguments = MOCK_OF[server]
    backend = await mock_backend(kind, **arguments)

    async with http.get(backend.url + reply["path"]) as response:
        body = await response.text()

    assert response.status == reply["status"]
    for name in SAME_HEADERS:
        assert response.headers.get(name) == reply["headers"].get(name), name
    content_type = reply["headers"]["content-type"]
    if "json" in content_type:
        assert shape(json.loads(body)) == shape(json.loads(reply["body"]))
    elif "html" in content_type:
        assert titles(body) == titles(reply["body"])
        for name in ("gradio_config", "gradio_api_info"):
            assert shape(script_value(body, name)) == shape(script_value(reply["body"], name))
    else:
        assert body == reply["body"]


def test_every_recording_has_its_mock() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.json")} == MOCK_OF.keys() | NOT_MOCKED


@pytest.mark.parametrize(("kind", "server"), [("rvc", "rvc-webui"), ("audioldm", "audioldm"), ("wan2gp", "wangp")])
async def test_a_gradio_program_says_word_for_word_what_it_is_known_by(
    kind: str, server: str, mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    (name,) = (name for name in MOCK_OF if name.startswith(f"{server}.gradio"))
    replies = {reply["path"]: reply["body"] for reply in recorded(name)}
    backend = await mock_backend(kind)

    config = await (await http.get(backend.url + "/config")).json()

    assert config == json.loads(replies["/config"]) | {"root": config["root"]}


async def test_a_page_from_gradio_5_repeats_the_address_it_was_called_by(
    mock_backend: StartMockBackend, http: aiohttp.ClientSession
) -> None:
    backend = await mock_backend("wan2gp")

    config = await (await http.get(backend.url + "/config")).json()

    assert config["root"] == backend.url
