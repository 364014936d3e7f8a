"""Fetches pinned files with pip, once, and proves each time that they are the pinned ones.

They are kept in a folder named after what was asked for, so another build needs no network, and one with other pins
fetches anew. The folder takes its name only when all is in it: an interrupted download leaves nothing that could be
taken for a whole one.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blender_addon.packaging.contents import HERE
from blender_addon.packaging.errors import BuildError

_TRIES = 3  # a slow mirror breaks off now and then, and pip does not try again in the middle of a file
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
# For pip, "any" is a platform of which only wheels for any platform can be had.
_PURE = ("--only-binary=:all:", "--platform=any", "--python-version=3.11", "--implementation=py", "--abi=none")


@dataclass(frozen=True, slots=True)
class Downloads:
    """The files that a build is made from: archives of what is vendored, and wheels."""

    vendored: tuple[Path, ...]
    wheels: tuple[Path, ...]


def downloads(cache: Path) -> Downloads:
    """Return the pinned files, from ``cache`` or the network.

    :raises BuildError: they cannot be had, or are not what is pinned.
    """
    # To ask zeroconf's source archive for its name, pip runs its build script: it shall not compile anything.
    return Downloads(
        fetch(HERE / "vendored.txt", cache, ("--only-binary=:all:", "--no-binary=zeroconf"), {"SKIP_CYTHON": "1"}),
        fetch(HERE / "wheels.txt", cache, _PURE),
    )


def fetch(
    requirements: Path, cache: Path, options: Sequence[str] = (), variables: dict[str, str] | None = None
) -> tuple[Path, ...]:
    """Return the files that a requirements file pins, one for each ``--hash`` in it, sorted by name.

    :param options: more options for ``pip download``.
    :param variables: more environment variables for it.
    :raises BuildError: they cannot be had, or are not what is pinned.
    """
    asked = requirements.read_bytes() + "\0".join(options).encode()
    folder = cache / f"{requirements.stem}-{hashlib.sha256(asked).hexdigest()[:16]}"
    if not folder.is_dir():
        _download(requirements, folder, options, variables or {})
    files = tuple(sorted(folder.iterdir()))
    pinned = sorted(_HASH.findall(requirements.read_text(encoding="utf-8")))
    if sorted(sha256(file) for file in files) != pinned:
        raise BuildError(
            f"The files in {folder} are not those that {requirements.name} pins: something changed them, or added one. "
            "Remove that folder; the next build fetches them anew."
        )
    return files


def sha256(file: Path) -> str:
    """Return the digest of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(requirements: Path, folder: Path, options: Sequence[str], variables: dict[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
        fresh = Path(made) / "files"
        fresh.mkdir()
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += [f"--dest={fresh}", "--require-hashes", f"--requirement={requirements}", *options]
        for _ in range(_TRIES):
            done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True)
            if not done.returncode:
                break
        else:
            raise BuildError(
                f"What {requirements.name} pins could not be downloaded:\n{done.stderr.strip()}\n"
                "Most likely there is no way to the package index: look at the connection, and try again. If pip "
                "speaks of hashes, the index offers another file than the pinned one: do not use it."
            )
        # Another build may have been quicker. Its files are as good as ours, and both are checked.
        with suppress(OSError):
            fresh.rename(folder)
