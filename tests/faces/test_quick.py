"""A plain `list` knocks before it imports anything heavy, and says what the full command line says."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from hybridisco.config import defaults, load
from hybridisco.core.model import SourceName
from hybridisco.faces.cli import quick
from hybridisco.kinds import BUILTIN, offered, usual
from hybridisco.sources.knock import Knocked
from hybridisco.sources.sweep import SweepSource
from tests.faces.conftest import Cli
from tests.faces.test_app import loaded


@pytest.fixture
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let no port of this machine be open; returns how many were knocked at, a number for each time."""
    numbers: list[int] = []

    def knock(targets: Sequence[tuple[str, int]]) -> Knocked:
        numbers.append(len(targets))
        return {}, []

    monkeypatch.setattr("hybridisco.faces.cli.quick.knock", knock)
    monkeypatch.setattr("hybridisco.sources.scan.knock", knock)
    return numbers


def test_it_knows_the_ports_of_the_kinds_and_what_holds_without_settings() -> None:
    assert tuple(dict.fromkeys(port for kind in BUILTIN for port in kind.ports)) == usual.PORTS, "mend kinds/usual.py"
    assert len(BUILTIN) == usual.NUMBER
    assert set(defaults.SOURCES) == {source.value for source in SourceName}


def test_it_knocks_where_the_probe_does(cli: Cli, nobody_listens: list[int]) -> None:
    async def none() -> None:
        """There is no probe."""

    config = load()
    ports = SweepSource(none, (), config.probe_ports, config.kinds).ports  # type: ignore[arg-type]
    cli("list", "--source", "probe")
    assert nobody_listens == [2 * len(ports)]


def test_it_says_what_the_full_command_line_says(cli: Cli, nobody_listens: list[int]) -> None:
    quickly, fully = cli("list", "--source", "probe"), cli("list", "--source", "probe", "--format", "table")
    assert len(nobody_listens) == 3  # once, then at either address
    assert (quickly.status, quickly.out) == (fully.status, fully.out) == (1, "")
    without_times = [re.sub(r"in [\d.]+ m?s\.", "in … .", result.err) for result in (quickly, fully)]
    assert without_times[0] == without_times[1]


def test_it_finds_what_the_full_command_line_finds(cli: Cli, probing: dict[str, str]) -> None:
    quickly, fully = cli("list"), cli("list", "--format", "table")
    assert quickly.status == fully.status == 0
    for url in probing.values():
        assert url in quickly.out
        assert url in fully.out


def test_where_nothing_listens_nothing_heavy_is_imported(settings: Path) -> None:
    nobody = "import hybridisco.sources.knock as module; module.knock = lambda targets: ({}, [])"
    assert loaded("list", "--source", "probe", before=nobody) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ()),
        (("--source", "probe"), ("probe",)),
        (("--source=mdns", "--source", "manual"), ("mdns", "manual")),
        (("--source",), None),
        (("--source=",), None),
        (("--source=", "probe"), None),
        (("--source", "dns"), None),
        (("--source", "probe", "--json"), None),
        (("--kind", "comfyui"), None),
        (("probe",), None),
        (("-h",), None),
    ],
)
def test_only_what_it_understands_is_its_own(options: tuple[str, ...], expected: tuple[str, ...] | None) -> None:
    assert quick.sources_asked(options) == expected


def test_settings_and_other_packages_have_their_say(
    cli: Cli, nobody_listens: list[int], settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.parent.mkdir()
    settings.write_text("[probe]\nports = [7777]\n[kinds.comfyui]\nports = [7778]\n")
    cli("list", "--source", "probe")
    assert len(nobody_listens) == 2  # by the sweep, once for each address

    settings.write_text("nonsense")
    assert cli("list", "--source", "probe").status == 2
    settings.unlink()

    info = tmp_path / "drawbot-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(f"[{offered.ENTRY_POINTS}]\ndrawbot = drawbot:KIND\n")
    monkeypatch.syspath_prepend(tmp_path)
    nobody_listens.clear()
    assert "drawbot" in cli("list", "--source", "probe").err  # it cannot be imported
    assert len(nobody_listens) == 2


def test_settings_that_nobody_can_look_for_are_no_missing_ones(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDISCO_CONFIG", "/" + "a" * 5000)
    result = cli("list", "--source", "probe")
    assert result.status == 2
    assert "Error:" in result.err


INTERRUPTED_WHERE_NOTHING_CATCHES_IT = """
import os, signal, sys, weakref
from hybridisco.faces.cli import program

class Module: pass

def cb(_):
    "Stands for what importlib does when a module's lock goes, with the lock of all imports held."
    os.kill(os.getpid(), signal.SIGINT)

def knock(targets):
    module = Module()
    held = weakref.ref(module, cb)
    del module
    print("went on", file=sys.stderr)
    return {}, []

import hybridisco.faces.cli.quick as quick
quick.knock = knock
if sys.argv.pop() == "ignored":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(program())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a program cannot send itself a Ctrl-C there")
@pytest.mark.parametrize(("who", "status"), [("somebody", 130), ("ignored", 1)])
def test_a_ctrl_c_before_the_search_ends_at_once_wherever_it_comes(settings: Path, who: str, status: int) -> None:
    command = [sys.executable, "-c", INTERRUPTED_WHERE_NOTHING_CATCHES_IT, "list", "--source", "probe", who]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == status
    assert ("went on" in done.stderr) is (who == "ignored")
    assert "Traceback" not in done.stderr


def test_who_runs_it_in_a_program_of_his_own_keeps_his_ctrl_c(cli: Cli, nobody_listens: list[int]) -> None:
    before = signal.getsignal(signal.SIGINT)
    cli("list", "--source", "probe", "--json")
    assert signal.getsignal(signal.SIGINT) is before
