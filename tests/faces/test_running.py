"""Commands that run until they are stopped, as programs of their own: watch, mock, demo; and the terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
from collections.abc import Callable
from ipaddress import ip_interface
from pathlib import Path

import pytest

from hybridisco.faces.cli.commands.mock import _lan_urls
from hybridisco.sources.interfaces import Interface
from hybridisco.testing import FAULTS
from tests.faces.conftest import COMMAND, Cli, Program

Start = Callable[..., Program]


def at_a_terminal(*args: str, until: str | None = None, **env: str) -> tuple[int, str]:
    """Run a command with a terminal of 100 columns, and return its status and output.

    Ctrl-C is pressed when ``until`` appears.
    """
    import fcntl
    import struct
    import termios

    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(COMMAND[0], [*COMMAND, *args], {**os.environ, "TERM": "xterm-256color", **env})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    output = b""
    pressed = False
    while select.select([terminal], [], [], 30)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # it ended
            break
        output += chunk
        if until and not pressed and until.encode() in output:
            os.write(terminal, b"\x03")
            pressed = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), output.decode()


def test_watch_prints_events_as_they_happen(program: Start, settings: Path) -> None:
    mock = program("mock", "comfyui", "--port", "0")
    port = mock.line().rpartition(":")[2]
    settings.parent.mkdir()
    settings.write_text(f'[discovery]\nsources = ["probe"]\n[probe]\nports = [{port}]\nrescan_s = 1\n')
    watch, words = program("watch", "--json"), program("watch")
    added = json.loads(watch.line())
    assert (added["event"], added["service"]["kind"]) == ("added", "comfyui")
    assert words.line().startswith("added    online       ComfyUI")
    assert mock.end().status == 128 + signal.SIGTERM
    removed = added
    while removed["event"] != "removed":  # stale comes first
        removed = json.loads(watch.line())
    assert removed["service"]["id"] == added["service"]["id"]
    assert watch.end(signal.SIGINT).status == 130


def test_watch_draws_a_table_on_a_terminal(probing: dict[str, str]) -> None:
    status, output = at_a_terminal("watch", until="2 backends. Ctrl-C ends.")
    assert status == 130
    assert "●" in output
    assert probing["comfyui"] in output
    assert output.rstrip().endswith("\x1b[?25h")  # the cursor is back


def test_colours_and_progress_are_for_terminals(probing: dict[str, str]) -> None:
    status, output = at_a_terminal("list")
    assert status == 0
    assert "\x1b[32m● online" in output
    _, plain = at_a_terminal("list", NO_COLOR="1")
    assert "● online" in plain
    assert "\x1b[" not in plain


def test_the_progress_line_leaves_no_trace(probing: dict[str, str]) -> None:
    _, output = at_a_terminal("list", "--wait", "--kind", "rvc", "--timeout", "0.9", NO_COLOR="1")
    first, _, rest = output.partition("No rvc found")
    assert "Searching localhost … 0 found" in first
    assert re.search(r"\r +\r$", first)
    assert "Searching" not in rest


def test_ctrl_c_ends_a_search(settings: Path) -> None:
    status, _ = at_a_terminal("list", "--wait", "--source", "manual", "--timeout", "30", until="Searching")
    assert status == 130


def test_mock_takes_the_next_port_if_one_is_busy(program: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        mock = program("mock", "comfyui", "--port", str(port))
        url = mock.line().split()[1]
        result = mock.end(signal.SIGINT)
    assert int(url.rpartition(":")[2]) > port
    assert f"Port {port} is in use" in result.err
    assert result.status == 130


def test_mocks_have_their_usual_ports_or_the_next(program: Start) -> None:
    mock = program("mock")
    ports = {kind: int(url.rpartition(":")[2]) for kind, url in (mock.line().split() for _ in range(5))}
    assert mock.end().status == 143
    assert len(set(ports.values())) == 5
    assert all(ports[kind] >= usual for kind, usual in {"comfyui": 8188, "wan2gp": 7860, "litellm": 4000}.items())


def test_mock_at_an_address_of_another_machine() -> None:
    run = subprocess.run([*COMMAND, "mock", "--host", "203.0.113.1"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "address of this machine" in run.stderr


def test_mock_for_the_lan_says_how_the_lan_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lan = Interface("eth0", 2, (ip_interface("fe80::2/64"), ip_interface("10.77.0.2/24")))
    monkeypatch.setattr("hybridisco.sources.interfaces.interfaces", lambda: (lan,))
    assert _lan_urls("0.0.0.0", [8188]) == ["http://10.77.0.2:8188"]
    assert _lan_urls("::", [1]) == _lan_urls("127.0.0.1", [1]) == _lan_urls("localhost", [1]) == []


def test_the_help_of_mock_names_every_fault(cli: Cli) -> None:
    words = set(re.findall(r"[a-z-]+", cli("mock", "--help").out.partition("--fault")[2]))
    assert words >= set(FAULTS)


def test_mock_with_a_fault(program: Start) -> None:
    mock = program("mock", "comfyui", "--port", "0", "--fault", "busy")
    url = mock.line().split()[1]
    run = subprocess.run([*COMMAND, "probe", url, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout)["services"][0]["status"] == "busy"


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_demo_finds_all_and_leaves_nothing(option: tuple[str, ...]) -> None:
    run = subprocess.run([*COMMAND, "demo", *option], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    if option:
        found = json.loads(run.stdout)["services"]
        assert sorted(s["kind"] for s in found) == ["audioldm", "comfyui", "litellm", "rvc", "wan2gp"]
        for service in found:
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.1", service["endpoints"][0]["port"]), timeout=1)
    else:
        assert "5 services" in run.stdout
    assert "Stopping them" in run.stderr


def test_ports_end(program: Start) -> None:
    mock = program("mock", "comfyui", "rvc", "--port", "65535")
    _, err = mock.process.communicate(timeout=15)
    assert mock.process.returncode == 2
    assert "No port is left for rvc: ports end at 65535" in err
