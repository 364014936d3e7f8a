"""What comes, changes and goes while somebody watches, and a machine whose network comes late."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.goal import OURS, Goal, Row, compared
from bench.measure import Contender, Sample
from bench.peers.programs import BROWSED, bus_of
from bench.place import Place, place
from bench.responders import FIRST_PORT, by_zeroconf
from tests.lab import netns
from tests.lab.avahi import Avahi
from tests.lab.net import Host, LabError, python
from tests.lab.process import Process

_BROWSE, _PLAIN = "avahi-browse -rp", "zeroconf's browser"
_NEVER_S = 4.0
_APART_S = 1.2  # between two packets about one service, as RFC 6762 section 8.3 wants it
_PIPED: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
_STEPS = ("add", "update", "goodbye")


def rows() -> list[Row]:
    """The rows of the goals."""
    return [
        Row(
            "changes",
            "what a watching program hears: from the packet to its event",
            _changes,
            tuple(Goal("≤ 1 × avahi-browse", 1.0, _BROWSE, of=step) for step in reversed(_STEPS)),
            needs=("avahi-daemon", "dbus-daemon", "avahi-browse", "stdbuf"),
            rounds=5,
        ),
        Row(
            "interface-up",
            "a program started before there is an address: from the address to its first service",
            _interface_up,
            (Goal("≤ 50 ms", 50.0), compared(_PLAIN)),
            rounds=5,
            warm_up=False,
        ),
    ]


# -- goodbye, update, add -----------------------------------------------------------------------------------


class _Ear:
    """Reads a program's lines as they come, and notes when."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen
        self._lines: deque[tuple[float, str]] = deque(maxlen=10_000)
        self._came = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._popen.stdout or ():
            at = time.monotonic()
            with self._came:
                self._lines.append((at, line))
                self._came.notify_all()

    def first(self, wanted: Callable[[str], bool], since: float, limit_s: float) -> tuple[float, str] | None:
        """Return the first line from ``since`` on that is wanted; None if none comes within the limit."""
        end = since + limit_s
        with self._came:
            while True:
                for at, line in self._lines:
                    if at >= since and wanted(line):
                        return at, line
                if not self._came.wait(max(0.0, end - time.monotonic())) and time.monotonic() >= end:
                    return None


class _Both:
    """One packet, heard by both: so each of their samples comes from the same one."""

    def __init__(self, responder: Process, ours: _Ear, browse: _Ear) -> None:
        self._responder = responder
        self._ours, self._browse = ours, browse
        self._numbers = itertools.count(1)
        self._samples: dict[str, deque[Sample]] = {OURS: deque(), _BROWSE: deque()}

    def of(self, name: str) -> Contender:
        """Return the contender of this name."""

        def measure() -> Sample:
            if not self._samples[name]:
                self._run()
            return self._samples[name].popleft()

        return measure

    def _run(self) -> None:
        number = next(self._numbers)
        name = f"event-{number}"
        ours, browse = Sample(), Sample()
        events = {"add": ("added", "1"), "update": ("updated", "2"), "goodbye": ("removed", None)}
        marks = {"add": "=", "update": "=", "goodbye": "-"}
        for step in _STEPS:
            order = f"{step} {name} {FIRST_PORT + 1000 + number}" if step == "add" else f"{step} {name}"
            at = self._order(order)
            kind, version = events[step]

            def is_event(line: str, kind: str = kind, version: str | None = version) -> bool:
                said = json.loads(line) if line.startswith("{") else {"name": None}
                return said["name"] == name and said["event"] == kind and version in (None, said["ver"])

            def is_line(line: str, mark: str = marks[step], version: str | None = version) -> bool:
                return line.startswith(mark) and f";{name};" in line and (mark == "-" or f'"ver={version}"' in line)

            seen = self._ours.first(is_event, at, _NEVER_S)
            ours[step] = (json.loads(seen[1])["at"] - at) * 1000 if seen else float("inf")
            other = self._browse.first(is_line, at, _NEVER_S)
            browse[step] = (other[0] - at) * 1000 if other else float("inf")
            time.sleep(_APART_S)
        self._samples[OURS].append(ours)
        self._samples[_BROWSE].append(browse)

    def _order(self, line: str) -> float:
        before = self._responder.log.count("done")
        assert self._responder.popen.stdin is not None
        self._responder.popen.stdin.write(line + "\n")
        self._responder.popen.stdin.flush()
        self._responder.wait_for_log("done", 5.0, count=before + 1)
        return float(re.findall(r"done (\S+)", self._responder.log)[-1])


@contextmanager
def _changes() -> Iterator[Mapping[str, Contender]]:
    with place(1) as here, by_zeroconf(1, here.boxes) as responder:
        other = here.lab.host("other-desk")
        here.lan.join(other)
        with Avahi(other):
            argv = ["stdbuf", "-oL", "avahi-browse", "-rpk", BROWSED]
            browse = other.popen(argv, env={"DBUS_SYSTEM_BUS_ADDRESS": bus_of(other)}, **_PIPED)
            watch = here.desk.popen(python("-m", "bench.inside.events"), **_PIPED)
            ears = _Ear(watch), _Ear(browse)
            for ear, mark in zip(ears, ("ready", "="), strict=True):
                if ear.first(lambda line, mark=mark: line.startswith(mark), 0.0, time.monotonic() + 15) is None:
                    raise LabError("the watching program did not start")
            both = _Both(responder, *ears)
            yield {OURS: both.of(OURS), _BROWSE: both.of(_BROWSE)}


# -- the network comes late ----------------------------------------------------------------------------------


@contextmanager
def _interface_up() -> Iterator[Mapping[str, Contender]]:
    with place(1) as here, by_zeroconf(1, here.boxes):
        late = here.lab.host("late")
        here.lan.join(late, ipv6=False)
        yield {OURS: _late(here, late, "ours"), _PLAIN: _late(here, late, "plain")}


def _late(here: Place, late: Host, who: str) -> Contender:
    """Return a contender that starts a program in a host with its card on but no address, and then gives it one."""
    (card,) = late.interfaces
    address = f"{card.ipv4}/24"

    def measure() -> Sample:
        if card.ipv4:
            card.remove_address(address)
        process = late.start(python("-m", "bench.inside.wakeup", who))
        process.wait_for_log("waiting", 15.0)
        netns.ip("addr", "add", address, "dev", card.name, namespace=late.namespace)
        process.wait_for_log('"ms"', 10.0)
        found = re.findall(r'\{"ms": ([^}]+)\}', process.log)[-1]
        return {"ms": float("inf") if found == "null" else float(found)}

    return measure
