"""list and probe, against real mock backends on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.faces.conftest import Cli


@pytest.fixture
def web() -> Iterator[int]:
    """Return the port of a web server that is no backend."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def kinds_in(text: str) -> list[str]:
    return sorted(service["kind"] for service in json.loads(text)["services"])


def test_list_shows_a_table(cli: Cli, probing: dict[str, str]) -> None:
    result = cli("list")
    assert (result.status, result.err) == (0, "")
    assert "\x1b" not in result.out
    for kind, url in probing.items():
        (line,) = [line for line in result.out.splitlines() if url in line]
        assert kind in line


def test_list_prints_the_promised_document(cli: Cli, probing: dict[str, str]) -> None:
    result = cli("list", "--json")
    said = json.loads(result.out)
    assert (result.status, said["schema"], said["complete"]) == (0, 1, True)
    assert kinds_in(result.out) == ["comfyui", "litellm"]
    assert said["sources"]["mdns"]["state"] == "off"
    assert 0 < said["elapsed_s"] < 5
    assert all(service["verified"] for service in said["services"])


def test_other_formats(cli: Cli, probing: dict[str, str]) -> None:
    assert cli("list", "--format", "env").out.splitlines() == [
        f"HYBRIDISCO_COMFYUI_URL={probing['comfyui']}",
        f"HYBRIDISCO_LITELLM_URL={probing['litellm']}",
    ]
    assert cli("list", "--format", "urls", "--kind", "Comfy").out == probing["comfyui"] + "\n"


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (("--kind", "litellm"), ["litellm"]),
        (("--kind", "comfyui", "--kind", "litellm"), ["comfyui", "litellm"]),
        (("--host", "localhost"), ["comfyui", "litellm"]),
        (("--host", "127.0.0.1"), ["comfyui", "litellm"]),
        (("--host", "10.9.9.9"), []),
        (("--host", "elsewhere"), []),
        (("--source", "manual"), []),
        (("--kind", "rvc"), []),
    ],
)
def test_filters(cli: Cli, probing: dict[str, str], options: tuple[str, ...], kinds: list[str]) -> None:
    result = cli("list", "--json", *options)
    assert kinds_in(result.out) == kinds
    assert result.status == (0 if kinds else 1)


def test_a_host_with_a_port_is_one_service(cli: Cli, probing: dict[str, str]) -> None:
    port = probing["litellm"].rpartition(":")[2]
    assert kinds_in(cli("list", "--json", "--host", f"localhost:{port}").out) == ["litellm"]


def test_wait_ends_at_the_first_that_answers(cli: Cli, probing: dict[str, str]) -> None:
    result = cli("list", "--wait", "--kind", "litellm", "--json", "--timeout", "10")
    assert kinds_in(result.out) == ["litellm"]
    assert json.loads(result.out)["elapsed_s"] < 5


def test_nothing_found_says_what_was_tried_and_what_to_do(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text('[probe]\nports = ["9-10"]\n')
    result = cli("list", "--source", "probe", "--kind", "rvc")
    assert (result.status, result.out) == (1, "")
    assert "No rvc found" in result.err
    assert "localhost at the usual ports of" in result.err
    assert "9–10" in result.err
    assert "infer-web.py" in result.err  # how to start it
    assert "hybridisco add" in result.err


def test_what_was_left_out_is_counted(cli: Cli, probing: dict[str, str]) -> None:
    result = cli("list", "--kind", "rvc")
    assert "2 that --kind" in result.err


def test_ignored_services_and_plain_web_servers_show_with_all_only(
    cli: Cli, settings: Path, probing: dict[str, str], web: int
) -> None:
    settings.write_text(settings.read_text().replace("ports = [", f"ports = [{web}, "))
    (comfy,) = [s for s in json.loads(cli("list", "--json").out)["services"] if s["kind"] == "comfyui"]
    assert cli("ignore", comfy["id"]).status == 0
    assert kinds_in(cli("list", "--json").out) == ["litellm"]
    assert kinds_in(cli("list", "--json", "--all").out) == ["comfyui", "http", "litellm"]
    assert kinds_in(cli("list", "--json", "--kind", "http").out) == ["http"]
    assert "--all shows them" in cli("list", "--kind", "comfyui").err
    assert cli("ignore", "--undo", comfy["id"]).status == 0
    assert kinds_in(cli("list", "--json").out) == ["comfyui", "litellm"]


def test_what_was_written_down_is_always_shown(cli: Cli) -> None:
    assert cli("add", "http://127.0.0.1:9", "--name", "Big", "--kind", "comfy").status == 0
    result = cli("list", "--source", "manual")
    assert result.status == 1  # it does not answer
    assert "Big" in result.out
    assert "unreachable" in result.out
    assert cli("remove", "big").status == 0
    assert cli("list", "--source", "manual").out == ""


def test_probe_one_port(cli: Cli, urls: dict[str, str]) -> None:
    result = cli("probe", urls["comfyui"].removeprefix("http://"), "--json")
    assert (result.status, kinds_in(result.out)) == (0, ["comfyui"])


def test_probe_as_another_kind(cli: Cli, urls: dict[str, str]) -> None:
    result = cli("probe", urls["comfyui"], "--kind", "litellm")
    assert result.status == 1
    assert "mismatch" in result.out


def test_probe_where_nothing_listens(cli: Cli) -> None:
    result = cli("probe", "127.0.0.1:9")
    assert result.status == 1
    assert "refused" in result.out


def test_probe_a_web_server_of_no_kind(cli: Cli, web: int) -> None:
    result = cli("probe", f"127.0.0.1:{web}")
    assert result.status == 1
    assert "none of the kinds" in result.err


def test_probe_a_host(cli: Cli, probing: dict[str, str]) -> None:
    result = cli("probe", "127.0.0.1", "--json")
    assert (result.status, kinds_in(result.out)) == (0, ["comfyui", "litellm"])
    assert kinds_in(cli("probe", "localhost", "--kind", "litellm", "--json").out) == ["litellm"]


def test_probe_gives_up_in_time(cli: Cli, settings: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = cli("probe", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.5")
    assert result.status == 1
