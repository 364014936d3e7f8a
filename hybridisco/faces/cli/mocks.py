"""Mock backends for the commands ``mock`` and ``demo``: at their ports, or the next free ones, until stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

from hybridisco.core.errors import UsageError

if TYPE_CHECKING:
    from hybridisco.testing import MockBackend

TERMINATED = 128 + 15  # what a shell reports of a process that ended by SIGTERM
_LAST_PORT = 65535
_TRIES = 100  # ports to try one after the other


def run_until_stopped(job: Coroutine[Any, Any, int]) -> int:
    """Run ``job`` and return its result; SIGTERM cancels it as Ctrl-C does, so that it can clean up."""

    async def main() -> int:
        task = asyncio.ensure_future(job)
        with suppress(NotImplementedError):  # Windows has no such handlers
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        return TERMINATED


def usual_ports(names: Sequence[str]) -> list[int]:
    """Return where each kind usually listens; a port that is already given goes to the next kind's second choice."""
    from hybridisco.kinds import BUILTIN, get

    ports: list[int] = []
    for name in names:
        kind = get(BUILTIN, name)
        choices = kind.ports if kind else ()
        ports.append(next((port for port in choices if port not in ports), max([8000, *ports]) + 1))
    return ports


async def start(
    stack: AsyncExitStack,
    kind: str,
    port: int,
    host: str | Sequence[str],
    fault: str | None,
    taken: Collection[int],
    say: Callable[[str], None],
) -> MockBackend:
    """Start one mock that ends with ``stack``; at the next free port if ``port`` is busy (0 is any free one).

    :raises UsageError: it cannot listen there at all.
    """
    from hybridisco.testing import MockBackend

    if port > _LAST_PORT:
        raise UsageError(f"No port is left for {kind}: ports end at {_LAST_PORT}. Choose a lower one with --port.")
    for number in range(port, min(port + _TRIES, _LAST_PORT + 1)):
        if number and number in taken:
            continue
        backend = MockBackend(kind, host=host, port=number, fault=fault)
        try:
            await stack.enter_async_context(backend)
        except OSError as error:
            import errno

            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise UsageError(f"{host} cannot be listened on ({error}). Give an address of this machine.") from error
            continue
        if port and number != port:
            say(f"Port {port} is in use by another program: {kind} is at {number} instead.")
        return backend
    raise UsageError(f"No port from {port} on is free for {kind}. Choose another one with --port.")
