"""What a backend kind is: data for recognising it and for explaining it to the user.

Theory of recognition. A *proof* is a list of steps; a step is one request and the conditions on its reply.
Steps are taken in order and the next is requested only when the one before held, so a proof that cannot
succeed costs one request at most. A kind may have several proofs, tried in order; the first that holds wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from hybridisco.core.conditions import Condition
from hybridisco.core.model import Status


class Tier(IntEnum):
    """How much a kind says. A framework's kind is only right when no program built on it is."""

    PROGRAM = 0
    FRAMEWORK = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what its reply must look like.

    ``request`` is a path for GET, or ``ws:/path`` for a WebSocket upgrade and its first text frame.
    ``lens="gradio"`` looks at the reply through :func:`hybridisco.core.gradio.page`.
    """

    request: str
    where: tuple[Condition, ...]
    lens: Literal["gradio"] | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """Steps that together prove a kind.

    ``status`` is what the proof shows, where it shows more than that the backend answers (a login page).
    With ``expected_only`` it is tried only on the kind's own ports and where somebody claims the kind.
    """

    steps: tuple[Step, ...]
    status: Status = Status.ONLINE
    expected_only: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to read off a reply once the kind is known.

    ``name`` is ``version``, or the name of a property. With ``pattern`` the value is the first group of the
    first string that matches. Numbers are multiplied by ``scale`` (bytes to MiB) and cut to an integer.
    It counts only where the reply meets ``where``. Facts of one name are alternatives, best first. A fact that
    is not ``asked`` is read off a reply that is there anyway, but is not worth a request of its own.
    """

    name: str
    request: str
    pointer: str = ""
    pattern: str | None = None
    scale: float | None = None
    lens: Literal["gradio"] | None = None
    where: tuple[Condition, ...] = ()
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of backend. One file in :mod:`hybridisco.kinds` holds one of these.

    ``ports`` are where it usually listens, likeliest first; they are hints. ``facts`` may name requests that
    no proof needs: these are made once the kind is proven. ``queue_limit`` is the number of waiting jobs
    from which the service is called busy. ``lan_hint`` tells how to start it so that the LAN can reach it.
    ``opt_in`` are proofs by requests that cost the user something: they are only tried once the user has named
    such a request's path as the kind's health endpoint.
    """

    id: str
    title: str
    ports: tuple[int, ...]
    proofs: tuple[Proof, ...]
    opt_in: tuple[Proof, ...] = ()
    facts: tuple[Fact, ...] = ()
    capabilities: tuple[str, ...] = ()
    tier: Tier = Tier.PROGRAM
    family: str | None = None
    aliases: tuple[str, ...] = ()
    queue_limit: int | None = None
    start_hint: str = ""
    lan_hint: str = ""
    homepage: str = ""
    announced: bool = field(default=True)
    """Whether a sidecar announces it by default (not: lookalikes that are no use to a picture maker)."""
