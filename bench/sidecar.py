"""A year in half an hour: ``python -m bench.sidecar [--cycles 2000] [--rest 600]``.

One sidecar announces five backends. First its network changes ``--cycles`` times, each time in another way (another
address, the cable pulled, the card switched off); a browser on another host must see every change. Then it rests for
``--rest`` seconds. What is printed: how long a change took to be seen, and what the sidecar's memory, descriptors and
processor time were before, between and after.
"""

from __future__ import annotations

import json
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from zeroconf import DNSAddress, DNSIncoming

from bench import machine
from bench.options import parser
from bench.usage import cpu_s, usage
from tests.e2e import liar
from tests.e2e.backends import Backends
from tests.lab.host import Host
from tests.lab.interface import Interface
from tests.lab.net import Lab

_KINDS = (("comfyui", 8188), ("wan2gp", 7860), ("litellm", 4000), ("rvc", 7865), ("audioldm", 7863))
_SEEN_LIMIT_S = 10.0
_FIRST = "10.77.0.1"


def main() -> int:
    """Run it, and print one JSON document; 2 where nothing can be measured."""
    options = parser("python -m bench.sidecar", __doc__ or "")
    options.add_argument("--cycles", type=int, default=2000, help="changes of its network (default: %(default)s)")
    options.add_argument("--rest", type=float, default=600.0, help="seconds at rest after them (default: %(default)s)")
    wanted = options.parse_args()
    if reason := machine.unfit():
        print(f"Nothing can be measured here: {reason}", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        lab, backends = stack.enter_context(Lab()), stack.enter_context(Backends())
        lan = lab.lan("10.77.0.0/24", "fd77::/64")
        box, desk = lab.host("gpu-box"), lab.host("desk")
        lan.join(box)
        lan.join(desk)
        for kind, port in _KINDS:
            backends(box, kind, port)
        program = Path(sys.executable).with_name("hybridisco")
        sidecar = box.start([str(program), "announce"])
        sidecar.wait_for_log("Announced: ", 30.0, count=len(_KINDS))
        with desk.entered():
            ears = stack.enter_context(liar.open_socket("10.77.0.2"))
        pid = sidecar.popen.pid
        facts: dict[str, Any] = {"start": _usage(pid)}
        seen = list(_cycle(box, ears, wanted.cycles, pid))
        facts["cycles"] = _summary(seen, wanted.cycles)
        facts["after the cycles"] = _usage(pid)
        before = time.monotonic()
        first = _usage(pid)
        _listen(ears, wanted.rest)
        facts["after the rest"] = _usage(pid)
        used = facts["after the rest"]["cpu_s"] - first["cpu_s"]
        facts["cpu at rest, percent of a core"] = round(100 * used / (time.monotonic() - before), 2)
        facts["still running"] = sidecar.running
    print(json.dumps(facts, indent=1))
    return 0 if facts["cycles"]["missed"] == 0 and facts["still running"] else 1


def _cycle(box: Host, ears: socket.socket, cycles: int, pid: int) -> Iterator[float | None]:
    """Yield for each change the seconds until it was heard on the other host; None if it was not."""
    (card,) = box.interfaces
    for number in range(cycles):
        # Never one of lately: an old announcement that comes late must not be taken for the new one.
        old, new = (_FIRST if number == 0 else _address(number - 1)), _address(number)
        _drain(ears)
        began = time.monotonic()
        _change(card, number, old, new)
        yield _heard(ears, new, began)
        if number % 100 == 99:
            print(number + 1, _usage(pid), file=sys.stderr, flush=True)


def _address(number: int) -> str:
    return f"10.77.0.{100 + number % 100}"


def _change(card: Interface, number: int, old: str, new: str) -> None:
    """Let the card have another address, by a DHCP server's whim or after it was away for a moment."""
    if number % 10 == 5:
        card.unplug()
    elif number % 10 == 8:
        card.down()
    if number % 10 != 8:
        card.remove_address(f"{old}/24")
    else:
        card._given = tuple(each for each in card._given if each != f"{old}/24")
    if number % 10 == 5:
        card.plug()
    elif number % 10 == 8:
        card.up()
        card.remove_address(f"{old}/24") if old in card.addresses else None
    card.add_address(f"{new}/24")


def _heard(ears: socket.socket, address: str, began: float) -> float | None:
    """Wait for an announcement that names an address."""
    packed = socket.inet_aton(address)
    end = began + _SEEN_LIMIT_S
    while (left := end - time.monotonic()) > 0:
        ears.settimeout(left)
        try:
            message = DNSIncoming(ears.recv(9000))
        except TimeoutError:
            break
        if any(isinstance(record, DNSAddress) and record.address == packed for record in message.answers()):
            return time.monotonic() - began
    return None


def _drain(ears: socket.socket) -> None:
    ears.settimeout(0.0)
    try:
        while True:
            ears.recv(9000)
    except (BlockingIOError, TimeoutError):
        return


def _listen(ears: socket.socket, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        ears.settimeout(left)
        try:
            ears.recv(9000)
        except TimeoutError:
            return


def _summary(seen: list[float | None], cycles: int) -> dict[str, Any]:
    times = sorted(each for each in seen if each is not None)
    return {
        "number": cycles,
        "missed": cycles - len(times),
        "seen after, median s": round(statistics.median(times), 2) if times else None,
        "seen after, longest s": round(times[-1], 2) if times else None,
    }


def _usage(pid: int) -> dict[str, float]:
    """Return what a process uses now."""
    mib, descriptors = usage(str(pid))
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return {"rss_mib": round(mib, 2), "threads": threads, "descriptors": descriptors, "cpu_s": cpu_s(str(pid))}


if __name__ == "__main__":
    sys.exit(main())
