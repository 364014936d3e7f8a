"""The command itself: what it refuses, what its help says, and what it makes of its arguments."""

from __future__ import annotations

import json
import logging
import signal
import xml.etree.ElementTree as Xml
from collections.abc import Callable
from pathlib import Path

import pytest

from announcers import runner
from announcers.runner import Task
from hybridisco.faces.cli import main


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own files out of it."""
    monkeypatch.setenv("HYBRIDISCO_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("HYBRIDISCO_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("comfui",), "Did you mean comfyui?"),
        (("comfyui", "--interface", "nope0"), "There is no interface nope0 here"),
        (("comfyui", "--bind", "192.0.2.1"), "192.0.2.1 is not of this machine"),
        (("comfyui", "--bind", "gpu-box"), "--bind takes an address"),
        (("comfyui", "--path", "/a/../b"), "such as /comfyui"),
        (("comfyui", "--port", "0"), "--port"),
    ],
)
def test_wrong_usage_is_told_at_once(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["announce", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_help_tells_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", "--help"]) == 0
    said = capsys.readouterr().out
    for status in ("0    stopped by SIGTERM", "130  stopped by Ctrl-C", "2    wrong usage", "3    it could not"):
        assert status in said


def test_a_zone_of_an_address_is_not_held_against_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", "comfyui", "--bind", "fe80::5ead:beef%eth0"]) == 2
    assert "The address fe80::5ead:beef is not of this machine" in capsys.readouterr().err


@pytest.mark.parametrize("kinds", [(), ("comfyui", "wan2gp")])
@pytest.mark.parametrize(
    "about_one", [("--port", "8190"), ("--name", "Pictures"), ("--path", "/a"), ("--tls",), ("--avahi-xml",)]
)
def test_what_is_about_one_backend_wants_its_kind(
    kinds: tuple[str, ...], about_one: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["announce", *kinds, *about_one]) == 2
    said = capsys.readouterr()
    assert about_one[0] in said.err and "name its KIND, as in `hybridisco announce comfyui --port 8190`" in said.err
    assert said.out == ""


def test_the_file_for_avahi_is_printed_and_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--avahi-xml", "--port", "8190", "--path", "a/", "--name", "A & B", "--ports", "9000-9010"]
    assert main(["announce", "comfyui", *arguments]) == 0
    said = capsys.readouterr()
    root = Xml.fromstring(said.out)
    assert (root.findtext("name"), root.findtext("service/port")) == ("A & B", "8190")
    assert {"kind=comfyui", "path=/a"} <= {each.text for each in root.iter("txt-record")}
    assert said.err == ""


def test_the_file_for_avahi_has_the_hosts_name_where_none_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", "comfyui", "--avahi-xml"]) == 0
    assert "ComfyUI on %h" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["install", "uninstall", "status"])
def test_a_subcommand_is_reached(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", name, "--help"]) == 0
    assert f"hybridisco announce {name} [OPTIONS]" in capsys.readouterr().out


def test_the_status_of_a_sidecar_that_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", "status", "--status-file", str(tmp_path / "none")]) == 1
    assert "No sidecar runs here" in capsys.readouterr().err


class Runs:
    """Stands for a running sidecar, which would go on until it is stopped; keeps what each was asked to do."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.files: list[Path] = []
        self.stopped_by = signal.SIGTERM

    def __call__(self, read: Callable[[], Task], folder: Path, status: Path) -> Runs:
        self.tasks.append(read())
        self.files.append(status)
        return self

    async def run(self) -> int:
        logging.getLogger("announcers").info("Looking at %s …", "ComfyUI", extra={"port": 8188})
        return self.stopped_by


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(runner, "Runner", made)
    return made


def chosen(task: Task) -> list[str]:
    """Return the kinds that a task finds and announces."""
    plan = task.plan
    return [kind.id for kind in plan.kinds if plan.job(kind.id, 1, tls=False, path="/")]


def test_one_kind_is_waited_for_at_its_port(runs: Runs) -> None:
    assert main(["announce", "comfy", "--port", "8190", "--path", "pictures/", "--tls", "--name", "Films"]) == 0
    assert main(["announce", "comfyui"]) == 0
    first, second = (task.fixed for task in runs.tasks)
    assert [(job.kind.id, job.port, job.path, job.tls, job.name) for job in first] == [
        ("comfyui", 8190, "/pictures", True, "Films")
    ]
    assert [(job.port, job.path, job.tls, job.name) for job in second] == [(8188, "/", False, None)]


@pytest.mark.parametrize(
    ("arguments", "there", "missing"),
    [
        ((), {"comfyui", "wan2gp", "litellm", "rvc"}, set()),
        (("--not", "wan2gp", "--not", "rvc"), {"comfyui", "litellm"}, {"wan2gp", "rvc"}),
        (("comfyui", "wan2gp"), {"comfyui", "wan2gp"}, {"litellm", "rvc"}),
        (("comfyui", "wan2gp", "--not", "comfyui"), {"wan2gp"}, {"comfyui", "litellm", "rvc"}),
        (("comfyui", "--ports", "9000-9010"), {"comfyui"}, {"wan2gp", "rvc"}),
    ],
)
def test_which_kinds_are_found(runs: Runs, arguments: tuple[str, ...], there: set[str], missing: set[str]) -> None:
    assert main(["announce", *arguments]) == 0
    (task,) = runs.tasks
    assert there <= set(chosen(task))
    assert not missing & set(chosen(task))
    assert task.fixed == ()


@pytest.mark.parametrize("arguments", [("--not", "comfui"), ("comfyui", "nothing-known"), ("--ports", "9-8")])
def test_what_is_misspelt_is_told_at_once(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", *arguments]) == 2
    assert capsys.readouterr().err


def test_the_settings_are_read_and_what_is_typed_goes_before(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[announce]\nkinds = ["rvc"]\nports = ["9000-9001"]\nnames = { comfyui = "Films", "rvc:7865" = "Voices" }\n'
    )
    assert main(["announce", "--ports", "9010"]) == 0
    assert main(["announce", "comfyui"]) == 0
    found, fixed = runs.tasks
    assert chosen(found) == ["rvc"]
    assert {(9000, 9001), (9010, 9010)} <= set(found.plan.ports)
    assert [job.name for job in fixed.fixed] == ["Films"]


def test_logs_for_machines(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announce", "--log-format", "json"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["level"], said["message"], said["port"]) == ("info", "Looking at ComfyUI …", 8188)
    assert main(["announce"]) == 0
    assert capsys.readouterr().err == "Looking at ComfyUI …\n"


@pytest.mark.parametrize(("by", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_how_it_was_stopped_is_the_exit_status(runs: Runs, by: signal.Signals, status: int) -> None:
    runs.stopped_by = by
    assert main(["announce"]) == status


def test_the_status_file_is_where_it_is_looked_for(runs: Runs, tmp_path: Path) -> None:
    assert main(["announce"]) == 0
    assert main(["announce", "--status-file", str(tmp_path / "elsewhere")]) == 0
    assert runs.files == [tmp_path / "state" / "announce-status.json", tmp_path / "elsewhere"]
