"""One target under libFuzzer, which ends the process: ``python tests/fuzz/child.py TARGET [FLAG …] [FOLDER …]``.

It is started by its path, since libFuzzer starts it again when it merges a corpus.
"""

from __future__ import annotations

import importlib
import logging
import shlex
import sys
from pathlib import Path

import atheris

sys.path[0] = str(Path(__file__).parents[2])  # not our own folder, which has an http.py


def main() -> None:
    """Watch the branches of our own code, and of the TOML parser, which is Python too."""
    name = sys.argv[1]
    logging.disable(logging.WARNING)
    with atheris.instrument_imports(include=["hybridisco", "tomllib"]):
        target = importlib.import_module(f"tests.fuzz.{name}")
    again = shlex.join([sys.executable, sys.argv[0], name])  # how libFuzzer starts it, through a shell
    atheris.Setup([again, *sys.argv[2:]], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
