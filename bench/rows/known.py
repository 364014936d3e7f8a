"""The second start in a studio: cold, and warm with what was seen the last time; beside them the looks alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from bench.goal import OURS, Goal, Row, compared
from bench.measure import Contender, Sample
from bench.place import FIVE, Place, place
from bench.program import program
from bench.rows.listing import MORE, announced
from bench.worker import worker
from tests.e2e.app import command
from tests.e2e.backends import Backends

COLD, LOOKS = "cold start", "the looks alone"
_PAUSE_S = 1.3  # a responder repeats by multicast only after a second (RFC 6762 section 6)
_ANSWER_S = 0.05  # as a backend in Python that asks its GPU how it is; kinds take one to three answers
_BOXES = (FIVE, MORE)  # what runs on each; we look at eight places of one machine at once
_AVAHI = ("avahi-daemon",)


def rows() -> list[Row]:
    """In process by both responders, and the whole program until the first that answers."""
    return [
        _row("known", "second start: all of 10 seen before are online, announced by an Avahi, in process", "avahi"),
        _row(
            "known-sidecar",
            "second start: all of 10 seen before are online, announced and signed by a sidecar, in process",
            "sidecar",
        ),
        Row(
            "known-program",
            "second start: list --wait, the first of 10 seen before, announced by an Avahi",
            _programs,
            (compared(COLD), compared(COLD, of="cpu_ms")),
            needs=_AVAHI,
            pause_s=_PAUSE_S,
            family="sizes",
        ),
    ]


def _row(name: str, headline: str, by: str) -> Row:
    goals = (
        Goal("≤ 1.5 × the looks alone", 1.5, LOOKS),
        compared(COLD),
        compared(COLD, of="first"),
        Goal("none", 0.0, COLD, of="lost", worst=True),
    )
    needs = _AVAHI if by == "avahi" else ()
    return Row(name, headline, partial(_setup, by), goals, floor=LOOKS, needs=needs, pause_s=_PAUSE_S)


@contextmanager
def _studio(by: str) -> Iterator[Place]:
    with place(len(_BOXES)) as here, ExitStack() as stack:
        backends = stack.enter_context(Backends())
        for box, kinds in zip(here.boxes, _BOXES, strict=True):
            for kind, port in kinds:
                backends(box, kind, port, fault="slow", delay_s=_ANSWER_S)
            stack.enter_context(announced(box, by, kinds))
        yield here


@contextmanager
def _setup(by: str) -> Iterator[Mapping[str, Contender]]:
    with _studio(by) as here, ExitStack() as stack:
        places = [
            (kind, box.addresses[0], port)
            for box, kinds in zip(here.boxes, _BOXES, strict=True)
            for kind, port in kinds
        ]

        def start(*, remember: bool) -> Contender:
            state = str(here.desk.directory / ("warm" if remember else "cold"))
            target = worker(here.desk, "bench.inside.known:start", expected=len(places), state=state, remember=remember)
            return stack.enter_context(target)

        alone = stack.enter_context(worker(here.desk, "bench.inside.known:looks", places=places))
        yield {OURS: start(remember=True), COLD: start(remember=False), LOOKS: alone}


@contextmanager
def _programs() -> Iterator[Mapping[str, Contender]]:
    with _studio("avahi") as here:
        warm, cold = (here.desk.directory / each for each in ("warm", "cold"))
        first = command("list", "--wait")

        def forgetful() -> Sample:
            (cold / "last_known.json").unlink(missing_ok=True)
            return start_cold()

        start_cold = program(here.desk, first, env={"HYBRIDISCO_STATE": str(cold)})
        here.desk.run(command("list"), env={"HYBRIDISCO_STATE": str(warm)})
        yield {OURS: program(here.desk, first, env={"HYBRIDISCO_STATE": str(warm)}), COLD: forgetful}
