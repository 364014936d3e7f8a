"""``hybridisco demo``: the whole thing in three seconds, on this machine only."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

import click

from hybridisco.faces.cli import options

if TYPE_CHECKING:
    from hybridisco.config import Config
    from hybridisco.core.model import Snapshot
    from hybridisco.testing import MockBackend

_SEARCH_S = 5.0
_FAULTS = {"comfyui": "busy"}  # so that there is something to see besides "online"
_ANNOUNCED = "comfyui"


@click.command()
@options.output
@click.pass_context
def demo(ctx: click.Context) -> int:
    """Start a mock backend of each kind and a sidecar that announces one of them, find them, and stop.

    It needs no GPU, uses free ports, and leaves nothing behind.

    Exit status: 0 if all of them were found, 1 if not.
    """
    from hybridisco.config import Config
    from hybridisco.faces.cli.mocks import run_until_stopped
    from hybridisco.kinds import BUILTIN

    return run_until_stopped(_demo(Config(kinds=BUILTIN), options.chosen_format(ctx)))


async def _demo(config: Config, fmt: str) -> int:
    from dataclasses import replace

    from hybridisco.faces.cli.listing import show
    from hybridisco.faces.cli.outcome import say
    from hybridisco.faces.cli.search import search, wish

    async with AsyncExitStack() as stack:
        say("Starting mock backends …")
        backends = await _start(stack)
        announced = await _announce(stack, config, backends)
        say(f"{len(backends)} mock backends run. Now `hybridisco list`:\n")
        config = replace(config, probe_ports=tuple((backend.port, backend.port) for backend in backends))
        want = wish(config, sources=("mdns", "probe") if announced else ("probe",))
        found = _only(await search(config, want, _SEARCH_S), backends)
        show(fmt, config, want, found)
        say("\nStopping them …")
    missing = {backend.kind for backend in backends} - {service.kind for service in found}
    say(f"Not found: {', '.join(sorted(missing))}." if missing else f"Done. With real backends: {_called()} list")
    return 1 if missing else 0


async def _start(stack: AsyncExitStack) -> list[MockBackend]:
    from hybridisco.faces.cli.mocks import start
    from hybridisco.faces.cli.outcome import say
    from hybridisco.testing import MOCK_KINDS

    backends: list[MockBackend] = []
    for kind in MOCK_KINDS:
        # The announced one must be reachable from the LAN: a sidecar refuses what listens on loopback only.
        host = "0.0.0.0" if kind == _ANNOUNCED else "127.0.0.1"
        backends.append(await start(stack, kind, 0, host, _FAULTS.get(kind), (), say))
    return backends


async def _announce(stack: AsyncExitStack, config: Config, backends: list[MockBackend]) -> bool:
    """Let a sidecar announce one mock; returns whether it could (a machine without a network cannot)."""
    from announcers.assignment import Assignment
    from announcers.sidecar import Sidecar
    from hybridisco.core.errors import HybridiscoError
    from hybridisco.faces.cli.outcome import say

    backend = next(backend for backend in backends if backend.kind == _ANNOUNCED)
    kind = next(kind for kind in config.kinds if kind.id == _ANNOUNCED)
    state = stack.enter_context(tempfile.TemporaryDirectory(prefix="hybridisco-demo-"))
    job = Assignment(kind, backend.port, name=f"{kind.title} of a demo on {gethostname()}")
    try:
        sidecar = Sidecar(config.kinds, Path(state))
        sidecar.add(job)
        stack.push_async_callback(sidecar.close)
        await sidecar.step()
    except (HybridiscoError, OSError) as error:
        say(f"The sidecar did not start ({error}); the demo goes on without it.")
        return False
    return True


def _only(snapshot: Snapshot, backends: list[MockBackend]) -> Snapshot:
    """Return the snapshot with our own mocks only: the demo is no list of the LAN."""
    from dataclasses import replace

    ports = {backend.port for backend in backends}
    ours = (service for service in snapshot.services if any(e.port in ports for e in service.endpoints))
    return replace(snapshot, services=tuple(ours))


def _called() -> str:
    """Return how this program can be called: by its name, where that is in the path."""
    if shutil.which("hybridisco"):
        return "hybridisco"
    own = Path(sys.argv[0])
    return os.path.relpath(own) if own.name.startswith("hybridisco") else "python -m hybridisco"
