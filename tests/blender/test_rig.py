"""The rig itself: what is there, and that it tells the truth about scripts that fail, hang or crash."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.lab.require import require
from tests.lab.wait import LabError

from .rig import cache, chroot, setup
from .rig.extension import old_wheel, renamed_wheel
from .rig.run import Blender


def some_blender(home: Path) -> Blender:
    """Any one that is there."""
    version = next((version for version in setup.VERSIONS if setup.is_ready(version)), None)
    require(None if version else "no bpy at all; run: python -m tests.blender.rig.setup")
    assert version is not None
    return Blender(version, home)


def test_there_is_a_blender_of_each_python(tmp_path: Path) -> None:
    """Which of them cannot be had here the other tests say; never all of them."""
    some_blender(tmp_path)


@pytest.mark.parametrize(
    ("code", "limit_s", "words"),
    [
        ("raise ValueError('no such thing')", 60, "(?s)ended with 1.*no such thing"),
        ("from pathlib import Path; import os; os.abort()", 60, "ended with -6"),
        ("while True: pass", 8, r"(?s)Timeout .*wrong\.py.* line 5 in wrong"),
    ],
    ids=["raises", "crashes", "hangs"],
)
def test_a_script_that_goes_wrong_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, limit_s: float, words: str
) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent / 'inside')!r})\n"
        f"from stage import play, tell\ndef wrong():\n    tell('begun', one=1)\n    {code}\nplay(wrong)\n"
    )
    monkeypatch.setattr("tests.blender.rig.run.INSIDE", tmp_path)
    running = some_blender(tmp_path).start(script.name, limit_s=limit_s)
    assert running.wait_for("begun") == {"one": 1}
    with pytest.raises(LabError, match=words):
        running.finish()


def test_half_an_environment_is_not_taken_for_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDISCO_TEST_CACHE", str(tmp_path))
    version = next(iter(setup.VERSIONS))
    (setup.folder(version) / "bin").mkdir(parents=True)
    setup.program(version).touch()
    assert "run: python -m tests.blender.rig.setup" in str(setup.missing(version))
    assert chroot.missing() is not None


def test_what_cannot_be_had_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYBRIDISCO_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(setup, "VERSIONS", {"9.9.9": "9.9"})
    monkeypatch.setattr(setup, "OLD_WHEELS", ("hybridisco-there-is-no-such-distribution==1",))
    monkeypatch.setattr(setup, "_TRIES", 1)
    monkeypatch.setattr(setup, "_PATIENCE", ("--retries", "0", "--timeout", "1", "--no-index"))
    monkeypatch.setattr(setup, "_requirements", lambda version: Path(__file__))
    assert setup.main([]) == 1
    said = capsys.readouterr().err
    assert "old wheels: not to be had: python" in said
    assert "bpy 9.9.9: NOT to be had: this machine has no Python 9.9" in said
    assert "cannot be had: this machine has no Python 9.9" in str(setup.missing("9.9.9"))
    assert setup.main(["8.8.8"]) == 2


def test_a_slow_program_is_ended() -> None:
    with pytest.raises(cache.SetupError, match="not done after 1 s; the mirror may be slow"):
        cache.call([sys.executable, "-c", "import time; time.sleep(60)"], 1.0)


def test_the_chroot_leaves_no_mount_behind(tmp_path: Path) -> None:
    if reason := chroot.missing():
        pytest.skip(reason)
    (tmp_path / "here").write_text("seen")
    before = Path("/proc/self/mountinfo").read_text()
    argv = chroot.command(["cat", "/work/here"], shared={tmp_path: "/work"}, env={})
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.returncode) == ("seen", 0), done.stderr
    assert Path("/proc/self/mountinfo").read_text() == before


def test_a_renamed_wheel_is_a_wheel_of_that_name(tmp_path: Path) -> None:
    require(None if setup.wheels().is_dir() else "run: python -m tests.blender.rig.setup")
    wheel = renamed_wheel(tmp_path, old_wheel("zeroconf"), "open_stage_zeroconf")
    assert wheel.name == "open_stage_zeroconf-0.38.7-py3-none-any.whl"
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True, timeout=60)
    names = {path.name for path in target.iterdir()}
    assert {"zeroconf", "open_stage_zeroconf-0.38.7.dist-info"} <= names
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
