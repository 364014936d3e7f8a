"""Play inputs once more, without atheris: ``python -m tests.fuzz.again FILE …``.

The target is the folder's name (in the corpus), or what the file's name begins with (a crash).
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

from tests.fuzz import TARGETS


def main() -> None:
    """Play each file; what fails is a traceback."""
    for path in map(Path, sys.argv[1:]):
        names = (path.resolve().parent.name, path.name.partition("-")[0])
        name = next(name for name in names if name in (*TARGETS, "broken"))
        target = importlib.import_module(f"tests.fuzz.{name}")
        began = time.perf_counter()
        target.check(path.read_bytes())
        print(f"{path}: holds, {1000 * (time.perf_counter() - began):.1f} ms")


if __name__ == "__main__":
    main()
