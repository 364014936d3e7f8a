"""Make the environments of the real peers: ``python tests/lab/peers/setup.py [gradio3 gradio5 litellm]``.

Each is a virtual environment under ``.peers/`` in the repository root. One that is already there, made by the
same Python from the same requirements, is left alone. Only the standard library is used here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# What is imported once at the end: it proves that the environment works, and leaves byte code for quick starts.
_MODULES = {"gradio3": "gradio", "gradio5": "gradio", "litellm": "litellm.proxy.proxy_server"}
ENVIRONMENTS = tuple(_MODULES)

# No peer may ask the internet for anything: it would hang, and it is none of a test's business.
OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "NO_PROXY": "*",
}

_HERE = Path(__file__).resolve().parent
ROOT = _HERE.parents[2] / ".peers"
_BIN = "Scripts" if sys.platform == "win32" else "bin"


def program(environment: str, name: str = "python") -> Path:
    """A program of one environment."""
    return ROOT / environment / _BIN / name


def is_ready(environment: str) -> bool:
    """Whether an environment is complete and of today's requirements."""
    stamp = _stamp_file(environment)
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _stamp(environment)


def make(environment: str) -> None:
    """Make one environment anew; the stamp comes last, so that half an environment is never taken for one."""
    folder = ROOT / environment
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    # The requirements are complete, with exact versions: nothing to resolve, and upstream's outdated upper
    # bounds do not stand in the way of newer Pythons.
    options = ["-qq", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    pip = [str(program(environment)), "-m", "pip", "install", *options]
    subprocess.run([*pip, "--requirement", str(_requirements(environment))], check=True)
    _import_once(environment)
    _stamp_file(environment).write_text(_stamp(environment), encoding="ascii")


def main(arguments: Sequence[str]) -> int:
    """Make the named environments, or all; say what is done."""
    unknown = sorted(set(arguments) - set(ENVIRONMENTS))
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(ENVIRONMENTS)}", file=sys.stderr)
        return 2
    ROOT.mkdir(exist_ok=True)
    with _one_at_a_time():
        for environment in arguments or ENVIRONMENTS:
            if is_ready(environment):
                print(f"{environment}: already there")
                continue
            print(f"{environment}: installing from {_requirements(environment).name} …", flush=True)
            started = time.monotonic()
            try:
                make(environment)
            except subprocess.CalledProcessError as error:
                print(
                    f"{environment}: {Path(error.cmd[0]).name} ended with {error.returncode}, see above",
                    file=sys.stderr,
                )
                return 1
            print(f"{environment}: made in {time.monotonic() - started:.0f} s")
    return 0


def _import_once(environment: str) -> None:
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **OFFLINE}
    command = [str(program(environment)), "-c", f"import {_MODULES[environment]}"]
    subprocess.run(command, check=True, env=variables, stdout=subprocess.DEVNULL)


def _requirements(environment: str) -> Path:
    return _HERE / f"requirements-{environment}.txt"


def _stamp_file(environment: str) -> Path:
    return ROOT / environment / "hybridisco-stamp"


def _stamp(environment: str) -> str:
    digest = hashlib.sha256(_requirements(environment).read_bytes()).hexdigest()
    return f"{sys.implementation.cache_tag} {digest}"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """A second run waits for the first, and then finds its work done."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with (ROOT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
