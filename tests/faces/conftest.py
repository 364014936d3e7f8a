"""The command line as a user runs it: in this process where that is enough, else as a program of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridisco.faces.cli import main

COMMAND = (sys.executable, "-c", "import sys; from hybridisco.faces.cli import main; sys.exit(main())")


@dataclass(frozen=True)
class Result:
    """What one command left behind."""

    status: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a file of settings of its own, not there yet."""
    file = tmp_path / "settings" / "config.toml"
    monkeypatch.setenv("HYBRIDISCO_CONFIG", str(file))
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("COLUMNS", raising=False)
    return file


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process."""

    def run(*args: str) -> Result:
        status = main(list(args))
        out, err = capsys.readouterr()
        return Result(status, out, err)

    return run


class Program:
    """A command as a program of its own, that runs until it is ended."""

    def __init__(self, *args: str, **kwargs: object) -> None:
        self.process = subprocess.Popen(  # type: ignore[call-overload]
            [*COMMAND, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs
        )

    def line(self) -> str:
        """Return the next line that it prints on stdout; the test's time limit bounds the wait."""
        return str(self.process.stdout.readline()).rstrip("\n")

    def end(self, number: int = signal.SIGTERM) -> Result:
        """Send it a signal and return what is left."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=15)
        return Result(self.process.returncode, out, err)


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    """Start a command as a program of its own; it is ended with the test."""
    started: list[Program] = []

    def start(*args: str, **kwargs: object) -> Program:
        started.append(Program(*args, **kwargs))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Return the URLs of a running mock ComfyUI and LiteLLM, by kind."""
    mocks = Program("mock", "comfyui", "litellm", "--port", "0", env=dict(os.environ))
    try:
        yield dict(mocks.line().split() for _ in range(2))
    finally:
        mocks.end()


@pytest.fixture
def probing(settings: Path, urls: dict[str, str]) -> dict[str, str]:
    """Let the settings search the mocks, and return their URLs."""
    ports = [int(url.rpartition(":")[2]) for url in urls.values()]
    settings.parent.mkdir()
    settings.write_text(f'[discovery]\nsources = ["probe", "manual"]\n[probe]\nports = {ports}\n')
    return urls
