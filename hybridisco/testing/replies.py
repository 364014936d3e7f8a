"""What a mock is asked and what it answers, as plain data: no socket, no HTTP library.

Each backend is a function `Request, Options -> Answer`; `server.py` alone carries an answer to the wire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"

FLAVOURS: Final = ("upstream", "wrapper")
"""`upstream` answers as the released program; `wrapper` as a wrapper with its own health endpoint."""

AUTH_MODES: Final = ("key", "none", "broken")
"""LiteLLM only: a key is configured / is not / is, but the proxy's database package is missing."""


class Request(NamedTuple):
    """One request as it arrived.

    `path` is without the query; `headers` have lower-case names. Headers sent twice keep the last value.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def host(self) -> str:
        """The Host header, `127.0.0.1` for the HTTP/1.0 client that sends none."""
        return self.headers.get("host") or "127.0.0.1"

    @property
    def wants_websocket(self) -> bool:
        """Whether the client asks to turn this connection into a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole HTTP reply. `server` is the Server header; None sends none, as LiteLLM does."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    server: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = False


@dataclass(frozen=True, slots=True)
class Greeting:
    """The upgrade to a WebSocket is accepted, and these text frames are sent at once."""

    frames: tuple[str, ...]
    server: str | None = None


Answer: TypeAlias = Reply | Greeting


@dataclass(frozen=True, slots=True)
class Options:
    """How a mock differs from its defaults; None means the kind's own default.

    Args:
        flavour: one of `FLAVOURS`.
        version: the backend's version. RVC and AudioLDM tell theirs in the wrapper flavour only, as upstream.
        title: the page title (for LiteLLM: of its API docs).
        queue: jobs waiting or running.
        vram_mib: graphics memory in MiB. ComfyUI without `vram_mib` and `gpu` runs on the CPU.
        gpu: the graphics card's name.
        auth: LiteLLM only, one of `AUTH_MODES`.
        delay_s: seconds that the fault `slow` waits before it answers.
        wrong_kind: who answers under the fault `wrong-kind`.

    Raises:
        ValueError: a value outside of what is allowed; the message says what is.
    """

    flavour: str = "upstream"
    version: str | None = None
    title: str | None = None
    queue: int = 0
    vram_mib: int | None = None
    gpu: str | None = None
    auth: str = "key"
    delay_s: float = 1.0
    wrong_kind: str | None = None

    def __post_init__(self) -> None:
        check_name("flavour", self.flavour, FLAVOURS)
        check_name("auth", self.auth, AUTH_MODES)
        if self.queue < 0:
            raise ValueError(f"queue is a number of jobs, 0 or more, not {self.queue}")
        if self.delay_s < 0:
            raise ValueError(f"delay_s is a time in seconds, 0 or more, not {self.delay_s}")
        if self.vram_mib is not None and self.vram_mib <= 0:
            raise ValueError(f"vram_mib is memory in MiB, 1 or more, not {self.vram_mib}")


def check_name(what: str, name: str, allowed: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return `name` if it is one of the allowed.

    Raises:
        ValueError: it is not; the message lists the allowed names.
    """
    if name not in allowed:
        raise ValueError(f"unknown {what} {name!r}: it is one of {', '.join(allowed)}")
    return name


def json_bytes(value: object) -> bytes:
    """Encode without blanks, as the FastAPI servers do."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def wrapper_health(service: str, version: str, options: Options) -> dict[str, object]:
    """What a wrapper's own health endpoint says: the service it stands for, and what was asked to be told."""
    told = {"queue": options.queue or None, "gpu": options.gpu, "vram_mib": options.vram_mib}
    health: dict[str, object] = {"status": "ok", "service": service, "version": options.version or version}
    return health | {key: value for key, value in told.items() if value is not None}
