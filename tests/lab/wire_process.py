"""The relay inside a faulty cable: a process that carries ethernet frames from one interface to another, badly.

    python -m tests.lab.wire_process SEED HOST_END LAN_END

Theory of operation. A frame that comes in at one end is given the times at which it leaves by the other one: none when
it is lost, two when it is doubled. That is decided by :class:`Lane`, which knows no socket and no clock, so that the
same seed gives the n-th frame of a direction the same fate each time. Each line on standard input sets the faults, and
is answered on standard output by what has happened so far; when standard input is closed, the process ends.

The frames are read and written with the kernel's notes about them (checksum still to be made, still to be cut into
segments), so that no card has to be told to do that work itself, and every checksum is right. A frame can therefore
be larger than what travels on a real cable: a long answer over TCP counts as one frame, not as forty.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import random
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass

HELD_S = 0.05  # a frame that is overtaken: longer than between two that belong together, shorter than any patience

_SOL_PACKET = 263  # <linux/socket.h>; the socket module has no names for these
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33  # <asm-generic/socket.h>
_PACKET_VNET_HDR = 15  # <linux/if_packet.h>: the kernel's notes come and go in front of each frame
_PACKET_IGNORE_OUTGOING = 23
_ETH_P_ALL = 3
_LARGEST = 10 + 14 + 65536  # the notes, the ethernet header, and the most that waits to be cut
_BUFFER = 4 << 20  # a burst must not be lost by accident
_IDLE_S = 60.0  # with nothing under way; every wait has a bound


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with one direction. Shares are 0 to 1, each frame for itself."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0  # up to so much more delay; frames keep their order, as in a queue
    duplicate: float = 0.0
    reorder: float = 0.0  # held back for HELD_S, so that later ones overtake it


@dataclass(slots=True)
class Counts:
    """What has happened to the frames of one direction."""

    frames: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0


class Lane:
    """One direction of the cable: decides when each frame leaves."""

    def __init__(self, seed: str) -> None:
        self.faults = Faults()
        self.counts = Counts()
        self._random = random.Random(seed)
        self._last = 0.0

    def leaves_at(self, now: float) -> tuple[float, ...]:
        """Return when the frame that came in ``now`` leaves, once for each copy."""
        # Always as many throws a frame: a change of the faults must not shift the fates of all later ones.
        lost, late, doubled, jitter = (self._random.random() for _ in range(4))
        faults, counts = self.faults, self.counts
        counts.frames += 1
        if lost < faults.loss:
            counts.lost += 1
            return ()
        at = max(now + faults.delay_s + jitter * faults.jitter_s, self._last)
        if late < faults.reorder:
            counts.reordered += 1
            at += HELD_S
        else:
            self._last = at
        if doubled < faults.duplicate:
            counts.duplicated += 1
            return (at, at)
        return (at,)


class Relay:
    """The two ends, and the frames that are under way between them."""

    def __init__(self, seed: str, host_end: str, lan_end: str) -> None:
        self.lanes = {"out": Lane(f"{seed} out"), "in": Lane(f"{seed} in")}
        host, lan = _open(host_end), _open(lan_end)
        self._way = {host: (self.lanes["out"], lan), lan: (self.lanes["in"], host)}
        self._under_way: list[tuple[float, int, socket.socket, bytes]] = []
        self._number = itertools.count()

    def run(self) -> None:
        """Carry frames and obey until standard input is closed."""
        with selectors.DefaultSelector() as selector:
            for end in (*self._way, sys.stdin.fileno()):
                selector.register(end, selectors.EVENT_READ)
            print("ready", flush=True)
            while True:
                for key, _ in selector.select(self._next_in_s()):
                    if key.fileobj in self._way:
                        self._take(key.fileobj)
                    elif not self._obey():
                        return
                self._deliver()

    def _next_in_s(self) -> float:
        return max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else _IDLE_S

    def _take(self, end: socket.socket) -> None:
        """Take all that has come in at an end."""
        lane, other = self._way[end]
        while True:
            try:
                frame = end.recv(_LARGEST, socket.MSG_DONTWAIT)
            except OSError:
                return  # nothing more; or the card was switched off, and the socket hears again when it is on
            for at in lane.leaves_at(time.monotonic()):
                heapq.heappush(self._under_way, (at, next(self._number), other, frame))

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(self._under_way)
            try:
                end.send(frame)
            except OSError:
                continue  # the same at this end: what is sent to a card that is off is lost

    def _obey(self) -> bool:
        """Take one order from standard input; returns whether there was one."""
        order = os.read(sys.stdin.fileno(), 65536)
        if not order:
            return False
        for end in self._way:
            self._take(end)  # what came before the order is treated as it was before
        for direction, faults in json.loads(order).items():
            self.lanes[direction].faults = Faults(**faults)
        print(json.dumps({name: asdict(lane.counts) for name, lane in self.lanes.items()}), flush=True)
        return True


def _open(interface: str) -> socket.socket:
    """Return a socket for all frames that come in by an interface: a veth filters no address, so these are all."""
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # it hears nothing before it is bound
    end.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
    end.bind((interface, _ETH_P_ALL))
    return end


if __name__ == "__main__":
    Relay(*sys.argv[1:]).run()
