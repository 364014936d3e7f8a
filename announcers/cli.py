"""The command ``hybridisco announce``."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

from hybridisco import UsageError, known_kind, load_config, state_folder

if TYPE_CHECKING:
    from announcers.sidecar import Sidecar


@click.command()
@click.argument("kind")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the backend; the kind's usual one when left out.")
@click.option("--name", help="Name to announce; '<kind> on <this machine>' when left out.")
@click.option("--bind", multiple=True, metavar="ADDRESS", help="Announce only these addresses of this machine.")
@click.option("--interface", multiple=True, metavar="NAME", help="Announce only on these interfaces.")
@click.option("--path", default="/", show_default=True, help="Base path of the backend.")
@click.option("--tls", is_flag=True, help="The backend speaks https.")
def announce(
    kind: str,
    port: int | None,
    name: str | None,
    bind: tuple[str, ...],
    interface: tuple[str, ...],
    path: str,
    tls: bool,
) -> None:
    """Announce the KIND of backend that runs on this machine to the whole LAN.

    The backend is looked at every few seconds: it is announced while it answers as its kind, and withdrawn when
    it does not. Runs until it is stopped (Ctrl-C, or SIGTERM), then says goodbye.

    \b
    Exit status:
      0    stopped by SIGTERM
      130  stopped by Ctrl-C
      2    wrong usage, or an interface or address that this machine does not have
      3    it could not announce
    """
    from announcers.assignment import Assignment, check
    from announcers.sidecar import Sidecar

    kinds = load_config().kinds
    wanted = known_kind(kinds, kind)
    if port is None and not wanted.ports:
        raise UsageError(f"{wanted.title} has no usual port. Say it with --port.")
    base = f"/{path.strip('/')}"
    assignment = Assignment(wanted, port or wanted.ports[0], name, base, tls, _addresses(bind), interface)
    check(assignment)
    sidecar = Sidecar(assignment, kinds, state_folder())
    if asyncio.run(_until_stopped(sidecar)) == signal.SIGINT:
        raise KeyboardInterrupt


def _addresses(bind: tuple[str, ...]) -> tuple[str, ...]:
    from ipaddress import ip_address

    try:
        # `ip address` and others show fe80:: addresses with a zone; ours are told apart without.
        return tuple(str(ip_address(text.partition("%")[0])) for text in bind)
    except ValueError as error:
        raise UsageError(f"--bind takes an address of this machine, such as 192.168.1.20 ({error}).") from error


async def _until_stopped(sidecar: Sidecar) -> int:
    """Run the sidecar; return the signal that ended it."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(number)

    for wanted in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(wanted, stop, wanted)
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt, which cancels us as well
            signal.signal(wanted, lambda got, _: loop.call_soon_threadsafe(stop, got))
    running = asyncio.create_task(sidecar.run())
    running.add_done_callback(lambda _: stop(0))  # it only ends by itself with an error
    try:
        number = await stopped
        if running.done():
            await running
        return number
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
