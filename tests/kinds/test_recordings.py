"""Every recorded server, at usual and unusual ports, and claimed to be something else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from hybridisco.core.conditions import Reply
from hybridisco.core.model import Status
from hybridisco.kinds import BUILTIN

from .replay import COMFYUI_FRAME, RECORDINGS, Server, identify, recorded, reply


@dataclass(frozen=True)
class Expected:
    kind: str | None
    version: str | None = None
    status: Status = Status.ONLINE
    properties: tuple[tuple[str, str | int], ...] = ()
    port: int = 0
    gets_at_home: int = 0
    family: str | None = None


EXPECTED = {
    "comfyui-0.3.64": Expected("comfyui", "0.3.64", properties=(("queue", 0),), port=8188, gets_at_home=2),
    "wangp.gradio-5.49.1": Expected(
        "wan2gp", "12.60", properties=(("gradio", "5.49.1"),), port=7860, gets_at_home=1, family="gradio"
    ),
    "litellm-1.109.1-keyed": Expected("litellm", "1.106.2", port=4000, gets_at_home=1),
    "rvc-webui.gradio-3.50.2": Expected(
        "rvc", properties=(("gradio", "3.50.2"),), port=7865, gets_at_home=1, family="gradio"
    ),
    "audioldm.gradio-3.50.2": Expected(
        "audioldm",
        properties=(("gradio", "3.50.2"), ("model", "AudioLDM")),
        port=7863,
        gets_at_home=1,
        family="gradio",
    ),
    # The app set no title: "Gradio" is not told as one.
    "plain.gradio-6.31.0": Expected("gradio", "6.31.0", port=7860, gets_at_home=4, family="gradio"),
    "wangp-login.gradio-5.49.1": Expected("gradio", status=Status.LOCKED, port=7860, gets_at_home=5, family="gradio"),
    "http.server": Expected(None, properties=(("title", "Directory listing for /"),), port=8000, gets_at_home=13),
}

#: No kind's port, a port that four kinds share, the ports of the five, and of some lookalikes.
PORTS = (8001, 8000, 8188, 4000, 7860, 7863, 7865, 8080, 11434)


def serve(name: str) -> Server:
    server = recorded(name)
    if name.startswith("comfyui"):
        return replace(server, replies={**server.replies, "ws:/ws": Reply("ws:/ws", 101, (), COMFYUI_FRAME)})
    return server


def test_every_recording_is_replayed() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.json")} == EXPECTED.keys()


@pytest.mark.parametrize("claimed", [None, *(kind.id for kind in BUILTIN)])
@pytest.mark.parametrize("name", EXPECTED)
def test_recording_is_what_it_is(name: str, claimed: str | None) -> None:
    expected = EXPECTED[name]
    for port in PORTS:
        result = identify(serve(name), port, claimed)
        finding = result.finding
        assert (finding.kind, finding.version, finding.status) == (expected.kind, expected.version, expected.status)
        assert tuple(sorted(finding.properties)) == expected.properties
        assert finding.family == expected.family
        assert finding.latency_ms == 1.0


@pytest.mark.parametrize("name", EXPECTED)
def test_requests_at_the_usual_port(name: str) -> None:
    expected = EXPECTED[name]
    assert identify(serve(name), expected.port).gets == expected.gets_at_home


def test_a_claimed_kind_is_asked_alone_first_whatever_the_port() -> None:
    assert identify(serve("comfyui-0.3.64"), 12345, "comfyui").asked == ("/system_stats", "/prompt")


@pytest.mark.parametrize("port", [8001, 8000, 8188, 7860, 5000])
def test_an_unknown_web_server_costs_little(port: int) -> None:
    result = identify(recorded("http.server"), port)
    assert result.gets <= (8 if port == 8001 else 16), result.asked


def test_an_unknown_json_api_costs_little() -> None:
    assert identify(Server({}), 8001).gets <= 17


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_lets_nobody_in_is_left_alone_soon(status: int) -> None:
    result = identify(Server({}, reply(status, {"detail": "Forbidden"})), 9999)
    assert (result.finding.kind, result.finding.status) == (None, Status.LOCKED)
    assert result.gets <= 8, result.asked


def test_comfyui_names_no_path_of_its_user() -> None:
    result = identify(serve("comfyui-0.3.64"), 8188)
    assert not any("main.py" in str(value) for _, value in result.finding.properties)
