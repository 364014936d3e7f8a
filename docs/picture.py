"""Make docs/terminal.svg: `hybridisco list` as it really prints, in a lab of three machines. Needs root.

Run it from the repository: .venv/bin/python -m docs.picture
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.lab.net import Lab, python

COLUMNS = 104
OUT = Path(__file__).parent / "terminal.svg"
HYBRIDISCO = ("-m", "hybridisco")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def main() -> None:
    """Start the machines, list, and draw."""
    with Lab() as lab:
        desk, gpu, audio = lab.host("desk"), lab.host("gpu-box"), lab.host("audio-box")
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        for host in (desk, gpu, audio):
            lan.join(host)
        mocks = [
            desk.start(python(*HYBRIDISCO, "mock", "litellm")),
            gpu.start(python(*HYBRIDISCO, "mock", "comfyui", "--host", "0.0.0.0", "--fault", "busy")),
            gpu.start(python(*HYBRIDISCO, "mock", "wan2gp", "--host", "0.0.0.0")),
            audio.start(python(*HYBRIDISCO, "mock", "rvc", "--host", "0.0.0.0")),
        ]
        sidecars = [
            gpu.start(python(*HYBRIDISCO, "announce", "comfyui")),
            gpu.start(python(*HYBRIDISCO, "announce", "wan2gp")),
            audio.start(python(*HYBRIDISCO, "announce", "rvc")),
        ]
        for sidecar in sidecars:
            sidecar.wait_for_log("Announced", 20)
        assert all(mock.popen.poll() is None for mock in mocks)
        desk.run(python(*HYBRIDISCO, "add", "http://10.77.0.3:7863", "--kind", "audioldm"))
        command = f"stty cols {COLUMNS}; {sys.executable} -m hybridisco list"
        shown = desk.run(
            ["script", "-qec", command, "/dev/null"], env={"TERM": "xterm-256color", "LANG": "C.UTF-8"}, check=False
        ).stdout
    draw("$ hybridisco list\r\n" + shown)


def draw(shown: str) -> None:
    """Write what a terminal showed as an SVG picture."""
    lines = [line for line in shown.replace("\r\n", "\n").split("\n") if "Searching" not in line]
    while not _ESCAPES.sub("", lines[1]).strip():
        del lines[1]  # where the progress line was
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("\n".join(lines).rstrip()))
    svg = console.export_svg(title="hybridisco list", theme=MONOKAI)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no font from the web: any monospace will do
    OUT.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
