"""The whole of ``hybridisco list`` with ten backends announced on another host, against avahi-browse on a third."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from bench.goal import OURS, Goal, Row
from bench.measure import Contender, Sample
from bench.peers.programs import avahi_browse
from bench.place import FIVE, Place, place, services
from bench.program import program
from tests.e2e.app import command
from tests.e2e.backends import EVERYWHERE
from tests.lab.avahi import Avahi, StaticService
from tests.lab.net import Host

_BROWSE = "avahi-browse -rpt"
MORE = (("comfyui", 8189), ("wan2gp", 7861), ("litellm", 8001), ("rvc", 7897), ("audioldm", 7864))
TEN = (*FIVE, *MORE)
"""What runs on the box, or, of two, the five and what is more."""
_START_S = 30.0


def rows() -> list[Row]:
    """The row of the goals; the same with an Avahi as the responder, and with an Avahi on our own host."""
    return [
        _row("list-10", "list, 10 announced by a sidecar", "goals", by="sidecar"),
        _row("list-10-avahi", "list, 10 announced by an Avahi", "sizes", by="avahi"),
        _row("list-10-beside", "list, 10 announced by a sidecar, with an Avahi on our host", "beside", beside=True),
    ]


def _row(name: str, headline: str, family: str, **how: object) -> Row:
    goal = Goal("≤ 0.4 × avahi-browse", 0.4, _BROWSE)
    needs = ("avahi-daemon", "avahi-browse", "dbus-daemon")
    setup = partial(_setup, **how)  # type: ignore[arg-type]
    return Row(name, headline, setup, (goal,), needs=needs, rounds=7, pause_s=1.1, family=family)


@contextmanager
def _setup(by: str = "sidecar", *, beside: bool = False) -> Iterator[Mapping[str, Contender]]:
    with place(1) as here, services(here.boxes[0], EVERYWHERE, TEN), announced(here.boxes[0], by, TEN):
        other = here.lab.host("other-desk")
        here.lan.join(other)
        with Avahi(other), _avahi(here, wanted=beside):
            listing = command("list")
            ours = program(here.desk, listing, read=_all_ten)
            yield {OURS: ours, _BROWSE: avahi_browse(other)}


@contextmanager
def announced(box: Host, by: str, kinds: Sequence[tuple[str, int]]) -> Iterator[None]:
    """Let what runs on a box be announced, by an ``avahi`` or by a ``sidecar``."""
    if by == "avahi":
        txt = {port: ["txtvers=1", f"id=bench-{kind}-{port}", f"kind={kind}"] for kind, port in kinds}
        static = [StaticService(f"{kind} {port}", "_hybridisco._tcp", port, txt=txt[port]) for kind, port in kinds]
        with Avahi(box, static, dbus=False):
            yield
        return
    sidecar = box.start(command("announce"))
    try:
        sidecar.wait_for_log("Announced: ", _START_S, count=len(kinds))
        yield
    finally:
        sidecar.stop()


@contextmanager
def _avahi(here: Place, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with Avahi(here.desk):
        yield


def _all_ten(output: str) -> Sample:
    found = output.count("online  ")
    if found != len(TEN):
        raise ValueError(f"{found} services were found, and not {len(TEN)}:\n{output}")
    return {"found": float(found)}
