"""The shape of one mocked backend: how it answers when well, and what it does in its own way when not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from hybridisco.testing.replies import TEXT, Answer, Options, Reply, Request

Answerer: TypeAlias = Callable[[Request, Options], Answer]

UVICORN_CRASH: Final = Reply(500, b"Internal Server Error", TEXT)


def costs_nothing(request: Request, options: Options) -> bool:
    """The rule of all backends but LiteLLM: nobody is charged for a request."""
    return False


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend as data.

    Args:
        kind: its name.
        answer: what it says when all is well.
        locked: what it says behind a login or a key.
        mistaken_for: who is found in its place under the fault `wrong-kind`: the neighbour that really
            takes its port.
        server: the Server header of replies made up for a fault.
        crash: what its HTTP server says when the program behind it fails.
        busy_queue: the queue depth by which it says "busy"; None for one that answers 429 instead.
        is_paid: whether the real program would spend somebody's money on this request.
    """

    kind: str
    answer: Answerer
    locked: Answerer
    mistaken_for: str
    server: str | None = None
    crash: Reply = UVICORN_CRASH
    busy_queue: int | None = None
    is_paid: Callable[[Request, Options], bool] = costs_nothing
