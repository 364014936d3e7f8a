"""A faulty cable for one card of a lab host: frames are lost, late, doubled or out of order, in one or both directions.

    with bad_wire(host.interfaces[0], loss=0.3) as wire:
        ...
        wire.set(jitter_s=0.2)                  # in the place of the loss
        wire.set("in", loss=1.0)                # it is heard, and hears nothing
        wire.heal()

The host notices nothing but what becomes of its frames: its card keeps carrier and addresses, and its cable can still
be pulled. The kernel's own means for this (netem) are missing in many kernels that tests run on, so a process of ours
(:mod:`.wire_process`) takes the place of the cable: between the card's far end, which leaves the LAN's bridge, and an
end of its own in there.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Literal

from . import netns
from .host import REPOSITORY
from .interface import LINK_TIMEOUT_S, Interface
from .wait import LabError, wait_until
from .wire_process import Counts, Faults

ANSWER_TIMEOUT_S = 10.0  # Python starts in a tenth of a second, on a busy machine in ten times that
STOP_TIMEOUT_S = 5.0

Direction = Literal["in", "out", "both"]  # as the host sees it


class BadWire:
    """The cable while it is bad; made by :func:`bad_wire`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answer()  # "ready"

    def set(self, direction: Direction = "both", /, **faults: float) -> None:
        """Give a direction these faults (see :class:`.wire_process.Faults`) and no others; they hold on return."""
        chosen = ("in", "out") if direction == "both" else (direction,)
        self._order(dict.fromkeys(chosen, asdict(Faults(**faults))))

    def cut(self, direction: Direction = "both") -> None:
        """Let nothing through, with the carrier as it is."""
        self.set(direction, loss=1.0)

    def heal(self) -> None:
        """Let everything through. What is still under way comes late."""
        self.set()

    @property
    def counts(self) -> dict[str, Counts]:
        """What has happened so far, for each direction."""
        return {name: Counts(**counts) for name, counts in self._order({}).items()}

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LabError("the process of the bad wire has ended") from None
        return dict(json.loads(self._answer()))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        # There is one line for each order, so none waits in Python's buffer.
        if not select.select([self._process.stdout], [], [], ANSWER_TIMEOUT_S)[0]:
            raise LabError(f"not within {ANSWER_TIMEOUT_S} s: an answer of the bad wire")
        if not (line := self._process.stdout.readline()):
            raise LabError(f"the process of the bad wire has ended with {self._process.wait(STOP_TIMEOUT_S)}")
        return line


@contextmanager
def bad_wire(
    interface: Interface, *, seed: int = 1, direction: Direction = "both", **faults: float
) -> Iterator[BadWire]:
    """Put a bad cable between a card and its LAN for as long as the block runs.

    :param seed: the same one gives the n-th frame in a direction the same fate.
    """
    switch = interface.host.lab.switch
    port, bridge = _far_end(interface)
    inner, outer = f"{port}i", f"{port}o"
    ends_up = (f"link set {inner} up", f"link set {outer} up")
    netns.ip_batch(switch, f"link add {inner} type veth peer name {outer}", *ends_up)
    try:
        # Before the exchange, since a bridge carries nothing for an end that has only just been switched on.
        wait_until(lambda: _link(switch, outer)["operstate"] == "UP", LINK_TIMEOUT_S, f"{outer} is up")
        with _relay(switch, str(seed), port, inner) as process:
            wire = BadWire(process)
            wire.set(direction, **faults)
            # Never both ends in the bridge: that would be a loop.
            netns.ip_batch(switch, f"link set {port} nomaster", f"link set {outer} master {bridge}")
            try:
                yield wire
            finally:
                netns.ip_batch(switch, f"link set {outer} nomaster", f"link set {port} master {bridge}")
    finally:
        netns.ip("link", "del", inner, namespace=switch)


def _far_end(interface: Interface) -> tuple[str, str]:
    """Return the names of the card's far end and of the bridge that it is in."""
    near = _link(interface.host.namespace, interface.name)
    every = json.loads(netns.ip("-j", "link", "show", namespace=interface.host.lab.switch))
    far = next(each for each in every if each["ifindex"] == near["link_index"])
    if "master" not in far:
        raise LabError(f"{interface!r} is on no LAN, or its cable is bad already")
    return far["ifname"], far["master"]


def _link(namespace: str, name: str) -> dict[str, Any]:
    return dict(json.loads(netns.ip("-j", "link", "show", "dev", name, namespace=namespace))[0])


@contextmanager
def _relay(switch: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    argv = ["ip", "netns", "exec", switch, sys.executable, "-m", "tests.lab.wire_process", *arguments]
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=REPOSITORY, start_new_session=True)
    with process:
        try:
            yield process
        finally:
            process.kill()
