"""What can go wrong with a mock, and what it answers then.

| fault        | what the prober meets                                                            |
|--------------|----------------------------------------------------------------------------------|
| `slow`       | the right answer, `delay_s` seconds late (1.0 unless told)                       |
| `hang`       | the connection is accepted, the request is read, and no answer ever comes        |
| `error`      | 500 on every path, in the words of that backend's HTTP server                    |
| `wrong-kind` | another program answers: `wrong_kind`, or the one known to take that port        |
| `locked`     | Gradio: login page, 401 on `/config`; ComfyUI: a proxy's 401 Basic; LiteLLM: 401 |
| `starting`   | 503 on every path: the model is still loading                                    |
| `busy`       | ComfyUI: a queue of 100; all others: 429 on every path, with `Retry-After`       |
| `refuse`     | nothing listens: new connections refused, open ones cut; the port is kept        |

`slow`, `hang` and `refuse` are matters of the connection and done in `server.py`; the others are answers,
and done here. A fault applies to WebSockets too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from hybridisco.testing.backends import BACKENDS, Backend
from hybridisco.testing.replies import JSON, Answer, Options, Reply, Request, check_name, json_bytes

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "slow": "answers rightly, but late",
        "hang": "accepts the connection and never answers",
        "error": "answers 500 on every path",
        "wrong-kind": "another program answers on its port",
        "locked": "wants a login or a key first",
        "starting": "answers 503: still loading",
        "busy": "is at its limit: 429, or a deep queue",
        "refuse": "does not listen at all",
    }
)
"""Every fault by name, with its meaning in one line."""

_RETRY: Final = (("Retry-After", "5"),)  # seconds


def check_fault(fault: str | None) -> str | None:
    """Return the fault, None for a mock in good health.

    Raises:
        ValueError: there is no such fault; the message lists those there are.
    """
    return fault if fault is None else check_name("fault", fault, FAULTS)


def _speaker(kind: str, fault: str | None, options: Options) -> tuple[Backend, Options]:
    """Who answers, and what it was told to be: under `wrong-kind` a stranger, who knows of no options."""
    backend = BACKENDS[kind]
    if fault != "wrong-kind":
        return backend, options
    return BACKENDS[options.wrong_kind or backend.mistaken_for], Options()


def is_paid(kind: str, fault: str | None, request: Request, options: Options) -> bool:
    """Whether the real program in this place would spend somebody's money on the request."""
    backend, told = _speaker(kind, fault, options)
    return backend.is_paid(request, told)


def answer(kind: str, fault: str | None, request: Request, options: Options) -> Answer:
    """What a mock of this kind says to the request while it has this fault."""
    backend, options = _speaker(kind, fault, options)
    match fault:
        case "error":
            return replace(backend.crash, server=backend.server)
        case "locked":
            return backend.locked(request, options)
        case "starting":
            return _refusal(503, {"status": "loading", "detail": "Loading model"}, backend)
        case "busy" if backend.busy_queue is not None:
            return backend.answer(request, replace(options, queue=max(options.queue, backend.busy_queue)))
        case "busy":
            return _refusal(429, {"detail": "Too Many Requests"}, backend)
    return backend.answer(request, options)


def _refusal(status: int, body: Mapping[str, str], backend: Backend) -> Reply:
    return Reply(status, json_bytes(body), JSON, backend.server, _RETRY)
