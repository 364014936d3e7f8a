"""``hybridisco mock``: backends to try things with, without a GPU."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from hybridisco.testing import MockBackend


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from hybridisco import testing

    names = testing.MOCK_KINDS if param.name == "kinds" else testing.FAULTS
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command()
@click.argument("kinds", nargs=-1, metavar="[KIND]...", shell_complete=_complete)
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the first; 0 takes free ones.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for the LAN.")
@click.option(
    "--fault",
    metavar="FAULT",
    shell_complete=_complete,
    help="What is wrong with them: slow, wrong-kind, hang, error, locked, starting, busy or refuse.",
)
def mock(kinds: tuple[str, ...], port: int | None, host: str, fault: str | None) -> int:
    """Serve mock backends until Ctrl-C: all five kinds, or the KINDs that are named, at their usual ports.

    They answer who they are, which version, and how busy, as the real programs do. They make no pictures.

    Exit status: 130 after Ctrl-C, 143 if it was terminated; 2 for wrong usage, or where no port is free.
    """
    from hybridisco import testing
    from hybridisco.config.schema import known_kind
    from hybridisco.core.errors import UsageError
    from hybridisco.faces.cli.mocks import run_until_stopped
    from hybridisco.kinds import BUILTIN

    names = tuple(known_kind(BUILTIN, name).id for name in kinds) or testing.MOCK_KINDS
    for name in names:
        if name not in testing.MOCK_KINDS:
            raise UsageError(f"There is no mock of {name}. There are: {', '.join(testing.MOCK_KINDS)}.")
    if fault is not None and fault not in testing.FAULTS:
        from hybridisco.config.table import did_you_mean

        said = "; ".join(f"{name}: {what}" for name, what in testing.FAULTS.items())
        raise UsageError(f"{fault} is not a fault.{did_you_mean(fault, tuple(testing.FAULTS))} There are: {said}.")
    return run_until_stopped(_serve(names, port, host, fault))


async def _serve(names: tuple[str, ...], port: int | None, host: str, fault: str | None) -> int:
    from hybridisco.faces.cli.mocks import start, usual_ports
    from hybridisco.faces.cli.outcome import say

    ports = usual_ports(names) if port is None else [port + number if port else 0 for number in range(len(names))]
    backends: list[MockBackend] = []
    async with AsyncExitStack() as stack:
        width = max(map(len, names))
        for name, wanted in zip(names, ports, strict=True):
            backend = await start(stack, name, wanted, host, fault, [b.port for b in backends], say)
            backends.append(backend)
            click.echo(f"{name:{width}}  {backend.url}")
        for url in _lan_urls(host, [backend.port for backend in backends]):
            say(f"From the LAN: {url}")
        say(f"{len(backends)} mock backend{'s' if len(backends) > 1 else ''}. Ctrl-C stops.")
        await asyncio.Event().wait()
    return 0


def _lan_urls(host: str, ports: list[int]) -> list[str]:
    """Return where other machines reach mocks that listen on every address: the URL printed is for this one."""
    from ipaddress import ip_address

    from hybridisco.core.model import Endpoint
    from hybridisco.sources.interfaces import lan_interfaces

    try:
        listening = ip_address(host)
    except ValueError:
        return []
    if not listening.is_unspecified:
        return []
    own = [address.ip for interface in lan_interfaces() if not interface.loopback for address in interface.addresses]
    best = next((ip for ip in own if ip.version == listening.version and not ip.is_link_local), None)
    return [Endpoint(str(best), port).url for port in ports] if best else []
