"""The places where is measured: a desk, boxes on its LAN, and what runs there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from hybridisco.config import load
from hybridisco.sources.sweep import SweepSource
from tests.e2e.backends import Backends
from tests.lab.net import Host, Lab, Lan, python

FIVE = (("comfyui", 8188), ("wan2gp", 7860), ("litellm", 4000), ("rvc", 7865), ("audioldm", 7863))
"""The five that Hybridisco is made for, at home."""


@dataclass(frozen=True, slots=True)
class Place:
    """A desk and some boxes, on one LAN with both families."""

    lab: Lab
    lan: Lan
    desk: Host
    boxes: tuple[Host, ...]


@contextmanager
def place(boxes: int = 0) -> Iterator[Place]:
    """Make a desk and so many boxes."""
    with Lab() as lab:
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        desk = lab.host("desk")
        others = tuple(lab.host(f"box-{number}") for number in range(1, boxes + 1))
        for host in (desk, *others):
            lan.join(host)
        yield Place(lab, lan, desk, others)


def probed_ports() -> tuple[int, ...]:
    """Return the ports that the probe looks at on this machine, by default."""

    async def none() -> None:
        """There is no probe."""

    config = load()
    return SweepSource(none, (), config.probe_ports, config.kinds).ports  # type: ignore[arg-type]


@contextmanager
def services(host: Host, listen: Sequence[str], kinds: Sequence[tuple[str, int]] = FIVE) -> Iterator[None]:
    """Let mock backends answer in a host."""
    with Backends() as backends:
        for kind, port in kinds:
            backends(host, kind, port, listen)
        yield


@contextmanager
def listeners(host: Host, number: int, ports: Sequence[int]) -> Iterator[None]:
    """Let plain servers listen at ``number`` of the ports, on both loopback addresses."""
    with ExitStack() as stack:
        if number:
            process = host.start(python("-m", "bench.inside.listeners", *map(str, ports[:number])))
            stack.callback(process.kill)
            process.wait_for_log("ready", 20)
        yield
