"""The command line as a whole: help at once, errors as messages, the promised exit statuses."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybridisco.core.errors import DiscoveryError
from hybridisco.faces.cli import COMPLETE_VAR, app, logs, outcome
from hybridisco.faces.cli.menu import COMMANDS
from tests.faces.conftest import COMMAND, Cli

HEAVY = (
    "click",
    "rich",
    "asyncio",
    "aiohttp",
    "zeroconf",
    "websockets",
    "tomlkit",
    "platformdirs",
    "importlib.metadata",
)


def loaded(*args: str, before: str = "") -> list[str]:
    """Return which heavy modules a command line has imported when it ends; ``before`` is run first."""
    code = (
        f"{before}\nimport sys; from hybridisco.faces.cli import main; main(sys.argv[1:]); "
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    return list(eval(run.stderr.splitlines()[-1]))


def test_help_is_there_at_once_and_names_every_command(cli: Cli) -> None:
    shown = cli("--help")
    assert shown == cli() == cli("-h")
    assert shown.status == 0
    for name, (_, what) in COMMANDS.items():
        assert f"  {name} " in shown.out
        assert what in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert loaded("--help") == []


def test_click_writes_the_same_help(cli: Cli) -> None:
    assert cli("-v", "--help").out == cli("--help").out


def test_help_is_also_a_word(cli: Cli) -> None:
    assert cli("help") == cli("--help")
    assert cli("help", "list") == cli("list", "--help")


def test_one_style_of_usage(cli: Cli) -> None:
    assert "Usage: hybridisco COMMAND [OPTIONS]" in cli("lsit").err


@pytest.mark.parametrize("name", ["list", "watch", "probe", "add", "remove", "ignore", "mock", "config", "demo"])
def test_exit_statuses_are_in_the_help(cli: Cli, name: str) -> None:
    assert "Exit status: " in cli(name, "--help").out


def test_version(cli: Cli) -> None:
    assert cli("--version").out == cli("-v", "--version").out
    assert loaded("--version") == []


def test_the_help_of_list_loads_only_what_parsing_needs() -> None:
    assert set(loaded("list", "--help")) <= {"click"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(cli: Cli, name: str) -> None:
    shown = cli(name, "--help")
    assert shown.status == 0
    assert shown.out.startswith(f"Usage: hybridisco {name}")
    assert "-v, --verbose" in shown.out


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("lsit",), "Did you mean list"),
        (("xyzzy",), "hybridisco --help"),
        (("--nonsense",), "--nonsense"),
        (("list", "--nonsense"), "--nonsense"),
        (("list", "--timeout", "0"), "0.1"),
        (("list", "--timeout", "nan"), "no number of seconds"),
        (("list", "--timeout", "abc"), "'abc' is no number of seconds from 0.1 to 600"),
        (("list", "comfyui"), "Did you mean --kind comfyui?"),
        (("watch", "gpu-box"), "hybridisco probe gpu-box"),
        (("list", "--kind", "wan"), "Did you mean wan2gp?"),
        (("probe", "10.88.0.1/24"), "is a network, not a host"),
        (("probe", "gpu-box/base"), "gpu-box:PORT/base"),
        (("help", "lsit"), "Did you mean list"),
        (("list", "--format", "yaml"), "prometheus"),
        (("list", "--json", "--format", "env"), "Give one of them"),
        (("list", "--kind", "comfi"), "Did you mean comfyui"),
        (("list", "--source", "ssdp"), "mdns"),
        (("list", "--host", "a b"), "space"),
        (("probe",), "HOST"),
        (("probe", "http://a/?x"), "query"),
        (("mock", "ollama"), "There are: comfyui"),
        (("mock", "--fault", "slwo"), "Did you mean slow"),
        (("completion", "powershell"), "bash"),
        (("add", "gpu-box"), "no port"),
    ],
)
def test_wrong_usage_is_2_with_a_hint(cli: Cli, args: tuple[str, ...], hint: str) -> None:
    result = cli(*args)
    assert (result.status, result.out) == (2, "")
    assert hint in result.err


def test_wrong_settings_are_2(cli: Cli, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text("[probe]\nhost = []\n")
    result = cli("list")
    assert (result.status, result.out) == (2, "")
    assert f"{settings}, line 2: probe.host" in result.err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (DiscoveryError("No source."), 3, "Error: No source."),
        (ZeroDivisionError("x"), 3, "ZeroDivisionError"),
        (OSError(errno.EMFILE, "Too many open files"), 3, "Raise it with `ulimit -n 4096`"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_errors_have_their_statuses(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(app.cli, "main", fail)
    monkeypatch.setattr(outcome, "drop_output", lambda: None)
    assert app.run(["list"]) == status
    assert message in capfd.readouterr().err


@pytest.mark.parametrize("args", [("--help",), ("kinds",)])
def test_a_reader_that_has_enough_is_no_error(args: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run([*COMMAND, *args], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="stands for a full disk")
@pytest.mark.parametrize("args", [("--help",), ("--version",), ("-v", "--version"), ("kinds",), ("list", "--help")])
def test_a_full_disk_is_told(args: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run([*COMMAND, *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        silent = subprocess.run([*COMMAND, *args], stdout=full, stderr=full, check=False)
    assert run.stderr == "Error: the output could not be written (No space left on device).\n"
    assert (run.returncode, silent.returncode) == (3, 3)


def test_tracebacks_of_others_are_for_the_curious() -> None:
    root, handlers = logging.getLogger(), logging.getLogger().handlers[:]
    try:
        for verbosity, shown in ((0, False), (1, False), (2, True)):
            logs.start_logging(verbosity, talkative=True)
            for name in ("zeroconf", "asyncio"):
                assert logging.getLogger(name).isEnabledFor(logging.ERROR) is shown
    finally:
        logs.start_logging(0)
        root.handlers[:] = handlers


def test_logs_go_to_stderr(cli: Cli) -> None:
    plain, talking = cli("list", "--source", "manual"), cli("-vv", "list", "--source", "manual", "--json")
    assert talking.out.startswith("{")
    assert len(talking.err) >= len(plain.err.partition("Next:")[0])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hybridisco pro", ["probe"]),
        ("hybridisco list --kind comf", ["comfyui"]),
        ("hybridisco list --source m", ["mdns", "manual"]),
        ("hybridisco mock ", ["comfyui", "wan2gp", "litellm", "rvc", "audioldm"]),
        ("hybridisco --ver", ["--verbose", "--version"]),
    ],
)
def test_completion_offers_words(words: str, expected: list[str]) -> None:
    number = len(words.split(" ")) - 1
    env = {**os.environ, COMPLETE_VAR: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
    run = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=env)
    assert [line.removeprefix("plain,") for line in run.stdout.splitlines()] == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(cli: Cli, shell: str) -> None:
    result = cli("completion", shell)
    assert result.status == 0
    assert COMPLETE_VAR in result.out


def test_the_package_run_as_a_program_has_the_same_statuses() -> None:
    run = subprocess.run([sys.executable, "-m", "hybridisco", "lsit"], capture_output=True, check=False)
    assert run.returncode == 2
