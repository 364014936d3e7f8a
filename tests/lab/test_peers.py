"""The real peers answer their key paths with the content that identifies them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from .host import python
from .net import Lab, LabError
from .peers import PEERS, RunningPeer, setup, start_peer, start_peers

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]  # LiteLLM loads for 10 s, on a busy machine for more


@pytest.fixture(scope="module")
def peers() -> Iterator[dict[str, RunningPeer]]:
    with start_peers(*PEERS) as running:
        yield running


def get(peer: RunningPeer, path: str) -> tuple[int, Any]:
    connection = HTTPConnection(peer.host, peer.port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def components(config: dict[str, Any], key: str) -> str:
    """All values of one property of an app's components, in one text."""
    return repr([each["props"].get(key) for each in config["components"]])


def test_wangp(peers: dict[str, RunningPeer]) -> None:
    status, config = get(peers["wangp"], "/config")
    assert (status, config["title"], config["version"]) == (200, "WanGP", "5.49.1")
    assert 'Wan<SUP style="color: #2563eb;">GP</SUP> v12.60' in components(config, "value")
    assert "queue_html_container" in components(config, "elem_id")


def test_wangp_behind_a_login(peers: dict[str, RunningPeer]) -> None:
    status, answer = get(peers["wangp-login"], "/config")
    assert status == 401
    assert "Not authenticated" in repr(answer)


def test_rvc(peers: dict[str, RunningPeer]) -> None:
    status, config = get(peers["rvc"], "/config")
    assert (status, config["title"], config["version"].strip()) == (200, "RVC WebUI", "3.50.2")
    assert {"infer_convert", "infer_change_voice"} <= {each["api_name"] for each in config["dependencies"]}


def test_audioldm(peers: dict[str, RunningPeer]) -> None:
    status, config = get(peers["audioldm"], "/config")
    assert (status, config["title"]) == (200, "Gradio")
    assert "AudioLDM: Text-to-Audio Generation with Latent Diffusion Models" in components(config, "value")
    assert "audioldm-m-full" in components(config, "choices")


@pytest.mark.parametrize(("name", "major"), [("gradio3", "3"), ("gradio5", "5")])
def test_plain_gradio(peers: dict[str, RunningPeer], name: str, major: str) -> None:
    status, config = get(peers[name], "/config")
    assert (status, config["title"], config["version"][0]) == (200, "Gradio", major)


def test_litellm(peers: dict[str, RunningPeer]) -> None:
    status, info = get(peers["litellm"], "/public/model_hub/info")
    assert (status, info["docs_title"]) == (200, "LiteLLM API")
    assert info["litellm_version"]
    assert get(peers["litellm"], "/health/liveliness") == (200, "I'm alive!")


@pytest.mark.netns
def test_a_peer_in_a_lab_host_is_reached_from_another(lab: Lab) -> None:
    a, b = lab.host("a"), lab.host("b")
    lan = lab.lan("10.77.0.0/24")
    lan.join(a)
    lan.join(b)
    with start_peer("rvc", host="0.0.0.0", port=7865, netns_host=b):
        code = "from urllib.request import urlopen; print(urlopen('http://10.77.0.2:7865/config', timeout=20).read())"
        assert "RVC WebUI" in a.run(python("-c", code)).stdout


def test_a_peer_that_does_not_start_shows_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "broken", type(PEERS["rvc"])("gradio3", "no-such-app.py"))
    with pytest.raises(LabError, match=r"(?s)broken ended with 2.*No such file"), start_peer("broken"):
        pass


def test_setup_knows_what_is_there(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert setup.main(["no-such-peer"]) == 2
    monkeypatch.setattr(setup, "ROOT", Path("nowhere"))
    assert not setup.is_ready("gradio3")
    assert "no-such-peer" in capsys.readouterr().err
