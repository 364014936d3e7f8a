"""Fuzz: ``python -m tests.fuzz [TARGET …] [--seconds N] [--keep]``.

The exit status is 1 if an input made a target fail; it lies in ``tests/fuzz/crashes/`` then, and is named.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz import CORPUS, CRASHES, TARGETS, corpus

_INPUT_LIMIT = 8192  # octets; larger ones are slow, and reach nothing more
_HANGS_S = 10  # one input; 5 ms are usual
_MEMORY_MB = 2048


def main() -> int:
    """Fuzz one target after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all without")
    parser.add_argument("--seconds", type=int, default=30, help="for each target (30)")
    parser.add_argument("--keep", action="store_true", help="make what was found the corpus, as small as can be")
    options = parser.parse_args()
    if unknown := set(options.targets) - {*TARGETS, "broken"}:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        parser.exit(1, "Fuzzing needs atheris, which is made for Linux on x86_64 only: pip install atheris\n")
    failures = [path for target in options.targets or TARGETS for path in fuzz(target, options.seconds, options.keep)]
    for path in failures:
        print(f"FAILED: {path}. See it again: python -m tests.fuzz.again {path}")
    return 1 if failures else 0


def fuzz(target: str, seconds: int, keep: bool) -> list[Path]:
    """Fuzz a target; returns the inputs that made it fail."""
    print(f"==> Fuzzing {target} for {seconds} s", flush=True)
    CRASHES.mkdir(exist_ok=True)
    before = set(CRASHES.glob(f"{target}-*"))
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, each) for each in ("found", "seeds", "least")]
        for folder in (*folders, CORPUS / target):
            folder.mkdir(parents=True, exist_ok=True)
        found, seeds, least = folders
        words = Path(name, "words")
        words.write_text(corpus.dictionary(target), encoding="ascii")
        corpus.plant(target, seeds)
        known = [str(found), str(seeds), str(CORPUS / target)]
        limits = [f"-max_len={_INPUT_LIMIT}", f"-timeout={_HANGS_S}", f"-rss_limit_mb={_MEMORY_MB}"]
        flags = [*limits, f"-dict={words}", f"-max_total_time={seconds}", "-print_final_stats=1"]
        ended = _child(target, f"-artifact_prefix={CRASHES}/{target}-", *flags, *known)
        if keep and ended == 0:
            ended = _child(target, "-set_cover_merge=1", *limits, str(least), *known)
            corpus.replace(target, least)
    new = sorted(set(CRASHES.glob(f"{target}-*")) - before)
    if ended and not new:
        raise SystemExit(f"Fuzzing {target} ended with status {ended} and no input: see above")
    return new


def _child(target: str, *arguments: str) -> int:
    command = [sys.executable, str(Path(__file__).with_name("child.py")), target, *arguments]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
