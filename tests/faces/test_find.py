"""list and probe, against real mock backends on this machine."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hybridisco.config import Config, load
from hybridisco.core.model import Snapshot, Status, Trust
from hybridisco.core.target import parse
from hybridisco.faces.cli.explain import explain_nothing
from hybridisco.faces.cli.listing import show
from hybridisco.faces.cli.search import Wish
from tests.faces.conftest import Cli
from tests.formats.samples import service, snapshot


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


@pytest.fixture
def silent() -> Iterator[int]:
    """Return a port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def answering_with() -> Iterator[Callable[[int], int]]:
    """Start a web server that answers everything with one HTTP status; returns its port."""
    with ExitStack() as stack:

        def start(code: int) -> int:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    self.send_error(code)

                def log_message(self, *_: object) -> None:
                    """Say nothing."""

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            stack.callback(server.server_close)
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server.server_port

        yield start


def searching(settings: Path, *ports: int, usual_of: str | None = None) -> None:
    """Let the settings search these ports only (of the first one, say whose usual it is)."""
    settings.parent.mkdir(exist_ok=True)
    kind = f"[kinds.{usual_of}]\nports = [{ports[0]}]\n" if usual_of else ""
    settings.write_text(f'[discovery]\nsources = ["probe"]\n[probe]\ntimeout_s = 0.5\nports = {list(ports)}\n{kind}')


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
    assert "before all answers" not in cli("list", "--wait", "--kind", "litellm").out


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


def test_a_port_that_hangs_is_told_of(cli: Cli, settings: Path, silent: int) -> None:
    searching(settings, silent, usual_of="comfyui")
    result = cli("list")
    assert (result.status, result.out) == (1, "")
    said = f"Port {silent} accepts connections but does not answer (ComfyUI's usual port): it is probably loading"
    assert said in result.err
    assert said in cli("list", "--kind", "comfyui", "--timeout", "0.3").err, "also while it is still being asked"
    assert "does not answer" not in cli("list", "--kind", "rvc").err
    assert "does not answer" not in cli("list", "--host", "gpu-box").err


def test_a_usual_port_that_hangs_is_told_of_beside_a_result(
    cli: Cli, settings: Path, urls: dict[str, str], silent: int
) -> None:
    other = int(urls["litellm"].rpartition(":")[2])
    searching(settings, silent, other, usual_of="comfyui")
    result = cli("list")
    assert result.status == 0
    assert f"Port {silent} accepts" in result.err
    searching(settings, silent, other)
    assert "accepts" not in cli("list").err, "it is nobody's usual port"


@pytest.mark.parametrize(
    ("code", "words"), [(503, "is not ready yet"), (401, "wants a login"), (500, "is not ready yet")]
)
def test_what_cannot_be_told_yet_is_mentioned(
    cli: Cli, settings: Path, answering_with: Callable[[int], int], code: int, words: str
) -> None:
    port = answering_with(code)
    searching(settings, port)
    result = cli("list")
    assert (result.status, result.out) == (1, "")
    assert f"Something at http://127.0.0.1:{port} {words}" in result.err
    assert "--all shows it" in result.err
    assert f"Something at http://127.0.0.1:{port}" in cli("list", "--all").out


def test_a_server_that_fails_on_every_path_is_not_online(cli: Cli, answering_with: Callable[[int], int]) -> None:
    port = answering_with(500)
    result = cli("probe", f"localhost:{port}")
    assert result.status == 1
    assert "online" not in result.out
    assert "server error on every path (500)" in result.out.replace("\n               ", " ")
    assert f"localhost:{port}  ? " in result.out
    assert cli("probe", f"localhost:{port}", "--kind", "comfyui").out.count("mismatch") == 0


def test_a_name_that_is_not_known(cli: Cli) -> None:
    result = cli("probe", "no-such-host.invalid")
    assert (result.status, result.out) == (1, "")
    assert "The name no-such-host.invalid is not known. Probably" in result.err
    said = json.loads(cli("probe", "no-such-host.invalid", "--json").out)
    assert (said["services"], said["sources"]["probe"]["state"]) == ([], "error")


def test_nothing_on_another_host_may_have_two_reasons(cli: Cli, settings: Path) -> None:
    searching(settings, 9)
    config, want, box = load(), Wish(sources=("probe",)), parse("gpu-box")
    with redirect_stderr(io.StringIO()) as err:
        explain_nothing(config, want, Snapshot(), box)
    assert "gpu-box is off, asleep or behind a firewall" in err.getvalue()
    assert "`hybridisco announce` there" in err.getvalue()
    assert "asleep" not in cli("probe", "localhost").err


def test_only_the_options_used_are_blamed(cli: Cli, probing: dict[str, str]) -> None:
    err = cli("list", "--host", "nope").err
    assert "2 that --host does not ask for" in err
    assert "hybridisco probe nope" in err


def test_formats_of_what_answers_say_why_they_are_empty(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text('[discovery]\nsources = ["manual"]\n')
    cli("add", "http://127.0.0.1:9")
    result = cli("list", "--format", "urls")
    assert (result.status, result.out) == (1, "")
    assert result.err == "1 service, none answers; `hybridisco list` says why.\n"


@pytest.mark.parametrize("fmt", ["env", "urls"])
def test_what_is_not_trusted_is_not_said_to_be_silent(fmt: str, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = service(status=Status.UNTRUSTED, problem="Another key.", trust=Trust.UNTRUSTED)
    show(fmt, Config(), Wish(sources=("mdns",)), snapshot(foreign))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "1 service, none that may be used (1 untrusted); `hybridisco list` says why.\n"


def test_the_table_marks_what_could_not_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    for mode, marked in (("first-use", True), ("pinned", True), ("off", False)):
        show("table", Config(trust_mode=mode), Wish(sources=("mdns",)), snapshot(service()))
        assert ("mdns (unchecked)" in capsys.readouterr().out) is marked


def test_ids_are_shown_when_asked_for(cli: Cli, probing: dict[str, str]) -> None:
    assert "comfyui@localhost:" in cli("list", "--ids").out
    assert "comfyui@localhost:" not in cli("list").out


def test_probe_gives_up_in_time(cli: Cli, silent: int) -> None:
    result = cli("probe", f"127.0.0.1:{silent}", "--timeout", "0.5")
    assert result.status == 1
