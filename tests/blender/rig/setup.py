"""Make the Blenders to test with: ``python -m tests.blender.rig.setup [4.2.23 …]``.

Each is a virtual environment in the cache folder with Blender as a Python module, which hosts extensions as the whole
program does, but has no window. A version that cannot be had (no Python of its kind, a mirror that does not answer) is
named with the reason, here and by the tests; only when none can be had is that a failure. Only the standard library is
used here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .cache import SetupError, cache, call, digest, is_stamped, one_at_a_time, put_stamp, tell

# Version of bpy -> the only Python that its compiled module fits.
VERSIONS = {"4.2.23": "3.11", "4.5.15": "3.11", "5.0.1": "3.11", "5.2.3": "3.13"}

# Old releases that other extensions bundle: what they do to ours, and ours to them, is tested.
OLD_WHEELS = ("zeroconf==0.38.7", "ifaddr==0.1.7")

_LIBRARIES = "libx11-6 libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6 libgl1 libgomp1"
_TRIES = 2
_PATIENCE = ("--retries", "5", "--timeout", "60")
_LIMIT_S = 600.0  # for all of them together: 4 times 375 MB. From a mirror that is near, 45 s each
_IMPORT_LIMIT_S = 120.0
_HERE = Path(__file__).resolve().parent


def folder(version: str) -> Path:
    """Where the environment of a version is."""
    return cache() / f"bpy-{version}"


def program(version: str) -> Path:
    """The Python of one version's environment."""
    return folder(version) / "bin" / "python"


def wheels() -> Path:
    """The folder of the old wheels."""
    return cache() / "wheels"


def is_ready(version: str) -> bool:
    """Whether an environment is complete and of today's requirements."""
    return is_stamped(folder(version), _stamp(version)) and program(version).exists()


def missing(version: str) -> str | None:
    """Why a version is not there, or None when it is."""
    if is_ready(version):
        return None
    try:
        return _reason(version).read_text(encoding="utf-8")
    except OSError:
        return f"run: python -m tests.blender.rig.setup {version}"


def make(version: str, end: float) -> None:
    """Make one environment anew; the stamp comes last, so that half an environment is never taken for one.

    :raises SetupError: it cannot be had.
    """
    shutil.rmtree(folder(version), ignore_errors=True)
    python = _python(VERSIONS[version])
    call([python, "-m", "venv", "--without-pip", str(folder(version))], end - time.monotonic())
    # The requirements are complete, with exact versions: nothing to resolve.
    options = ["--no-deps", "--only-binary", ":all:", "--no-compile", "--requirement", str(_requirements(version))]
    _pip(["--python", str(program(version)), "install", *options], end)
    try:
        call([str(program(version)), "-c", "import bpy"], _IMPORT_LIMIT_S)
    except SetupError as error:
        raise SetupError(f"{error}\n  If a library is missing: apt-get install {_LIBRARIES}") from None
    put_stamp(folder(version), _stamp(version))


def make_wheels(end: float) -> None:
    """Fetch the old wheels.

    :raises SetupError: they cannot be had.
    """
    shutil.rmtree(wheels(), ignore_errors=True)
    wheels().mkdir()
    _pip(["download", "--no-deps", "--only-binary", ":all:", "--dest", str(wheels()), *OLD_WHEELS], end)
    put_stamp(wheels(), digest(*OLD_WHEELS))


def main(arguments: Sequence[str]) -> int:
    """Make the named versions, or all; say what is done."""
    unknown = sorted(set(arguments) - set(VERSIONS))
    if unknown:
        tell(f"unknown: {', '.join(unknown)}; there are: {', '.join(VERSIONS)}")
        return 2
    wanted = list(arguments or VERSIONS)
    end = time.monotonic() + _LIMIT_S
    with one_at_a_time("bpy"):
        if not is_stamped(wheels(), digest(*OLD_WHEELS)):
            try:
                make_wheels(end)
            except SetupError as error:
                tell(f"old wheels: not to be had: {error}")
        for version in wanted:
            _provide(version, end)
    there = [version for version in wanted if is_ready(version)]
    if not there:
        tell("No Blender can be had at all, see above: nothing to test with.")
    return 0 if there else 1


def _provide(version: str, end: float) -> None:
    if is_ready(version):
        tell(f"bpy {version}: already there")
        return
    tell(f"bpy {version}: installing …")
    started = time.monotonic()
    _reason(version).unlink(missing_ok=True)
    try:
        make(version, end)
    except SetupError as error:
        _reason(version).write_text(f"bpy {version} cannot be had: {error}", encoding="utf-8")
        tell(f"bpy {version}: NOT to be had: {error}")
    else:
        tell(f"bpy {version}: made in {time.monotonic() - started:.0f} s")


def _pip(arguments: Sequence[str], end: float) -> None:
    """Run our own pip, on another environment if it is told so; once more when the mirror stumbled."""
    options = [*_PATIENCE, "--disable-pip-version-check", "--quiet"]
    for attempt in range(1, _TRIES + 1):
        try:
            call([sys.executable, "-m", "pip", *options, *arguments], end - time.monotonic())
            return
        except SetupError as error:
            if attempt == _TRIES or time.monotonic() > end:
                raise
            tell(f"{error}\ntrying once more")


def _python(wanted: str) -> str:
    """A Python of the version ``wanted`` that really runs: a pyenv shim is there also for versions that are not."""
    for candidate in _pythons(wanted):
        asked = [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        try:
            answer = subprocess.run(asked, capture_output=True, text=True, timeout=_IMPORT_LIMIT_S).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer == wanted:
            return candidate
    raise SetupError(f"this machine has no Python {wanted} (looked at PATH and pyenv)")


def _pythons(wanted: str) -> Iterator[str]:
    yield sys.executable
    if on_path := shutil.which(f"python{wanted}"):
        yield on_path
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    for found in sorted(versions.glob(f"{wanted}.*/bin/python{wanted}"), reverse=True):
        yield str(found)


def _requirements(version: str) -> Path:
    return _HERE / f"requirements-bpy-{version}.txt"


def _reason(version: str) -> Path:
    return cache() / f"bpy-{version}.missing"


def _stamp(version: str) -> str:
    return digest(VERSIONS[version], _requirements(version).read_text(encoding="ascii"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
