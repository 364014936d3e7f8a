"""Building blocks of the kinds' proofs: cheap first steps, and the health endpoint of a wrapper.

A server that none of our kinds describes should cost few requests. So most proofs start, where the kind is not
expected, with a *gate*: one of two requests that all kinds share, and whose reply rules most of them out.
"""

from __future__ import annotations

from hybridisco.core.conditions import body, either, has, matches, names, status, unless
from hybridisco.core.kind import Fact, Proof, Step
from hybridisco.core.model import Status

HTML = body(r"(?i)<html|<!doctype html")

#: Behind a wall for everything, asking on would only fill its log, or get us banned.
_LET_IN = unless(status(401, 403, 407))

#: The index is no web page: what a bare API shows (a 404 in JSON, a 405, a line of text).
NO_PAGE = Step("/", (_LET_IN, unless(HTML)))

#: A path that Gradio has is answered in JSON, be it a 404, and not as Gradio does: so does FastAPI.
SPEAKS_JSON = Step("/config", (_LET_IN, has(""), unless(has("components"))))

#: What health endpoints say while they cannot take work, under "status" or "state".
_BUSY = r"(?i)^(busy|overloaded|queue[ _-]?full|at[ _-]capacity)$"
_STARTING = r"(?i)^(starting|loading|initiali[sz]ing|warming([ _-]up)?|not[ _-]ready)\b"


def after(gate: Step, *steps: Step, show: Status = Status.ONLINE) -> tuple[Proof, Proof]:
    """Return proofs by ``steps``: at once where the kind is expected, and behind ``gate`` elsewhere."""
    return Proof(steps, show, expected_only=True), Proof((gate, *steps), show)


def health(path: str, *aliases: str, expected_only: bool = False) -> tuple[Proof, ...]:
    """Return the proofs by a wrapper's health endpoint: a JSON object that names the service. One request."""
    says = names(*aliases)

    def saying(pattern: str) -> Step:
        told = either(matches("status", pattern), matches("state", pattern))
        return Step(path, (status(200, 503), says, told))

    return (
        Proof((saying(_BUSY),), Status.BUSY, expected_only),
        Proof((saying(_STARTING),), Status.STARTING, expected_only),
        Proof((Step(path, (status(200), says)),), Status.ONLINE, expected_only),
        Proof((Step(path, (status(503), says)),), Status.STARTING, expected_only),
        Proof((Step(path, (status(429), says)),), Status.BUSY, expected_only),
        Proof((Step(path, (status(401, 403), says)),), Status.LOCKED, expected_only),
    )


def health_facts(path: str) -> tuple[Fact, ...]:
    """Return what a wrapper's health endpoint may tell besides; the real program is not asked there."""
    return tuple(Fact(name, path, name, asked=False) for name in ("version", "gpu", "vram_mib", "queue"))
