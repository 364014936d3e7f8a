"""Starting Blender with a window, on an X server that nobody sees, at a machine of the lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab.host import REPOSITORY, Host
from tests.lab.process import Process

from ..rig import chroot
from ..rig.run import Script

SIZE = (1280, 800)
INSIDE = "/repo/tests/blender/window/inside"

# The X server picks a free display and says which; Blender is the one whose end ends the rest.
_START = """\
set -e
width=$1; height=$2; shift 2
Xvfb -displayfd 3 -screen 0 "${width}x${height}x24" -nolisten tcp 3>/tmp/display 2>/tmp/xvfb.log &
until [ -s /tmp/display ]; do kill -0 $! || { cat /tmp/xvfb.log; exit 1; }; sleep 0.05; done
export DISPLAY=":$(cat /tmp/display)"
exec blender --window-geometry 0 0 "$width" "$height" --python-use-system-env --python-exit-code 1 --python "$@"
"""


def start(host: Host, script: str, work: Path, *arguments: str, limit_s: float) -> Script:
    """Start Blender with one script of ``tests/blender/window/inside``; ``work`` is its ``/work``.

    It ends with the lab, or by its own time limit.
    """
    shared = {REPOSITORY: "/repo", work: "/work"}
    env = {
        "HOME": "/work",
        "BLENDER_USER_RESOURCES": "/work/blender",
        "HYBRIDISCO_STATE": "/work/state",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "PYTHONPATH": f"{INSIDE}:/repo/tests/blender/inside",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "SCRIPT_LIMIT_S": str(limit_s - 3.0),
    }
    size = [str(length) for length in SIZE]
    argv = chroot.command(
        ["sh", "-c", _START, "sh", *size, f"{INSIDE}/{script}", "--", *arguments], shared=shared, env=env
    )
    path = work / f"{script.removesuffix('.py')}.log"
    with path.open("w", encoding="utf-8") as log:
        popen = host.popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return Script(Process(popen, path), limit_s)
