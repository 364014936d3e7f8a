"""Mock backends inside lab hosts, served by this process, so that a test can break and mend them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from hybridisco.testing import MockBackend
from tests.lab.net import Host

T = TypeVar("T")

EVERYWHERE = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "::1")
_CALL_LIMIT_S = 10.0


class Backend:
    """One mock backend in a host. What it does to its sockets happens in the host's network."""

    def __init__(self, backends: Backends, host: Host, mock: MockBackend) -> None:
        self._backends = backends
        self._host = host
        self.mock = mock

    def stop(self) -> None:
        """Stop listening: connections are refused from now on."""
        self._set("refuse")

    def start(self) -> None:
        """Listen again, in good health."""
        self._set(None)

    def fail(self, fault: str) -> None:
        """Go wrong (see :data:`hybridisco.testing.FAULTS`)."""
        self._set(fault)

    def _set(self, fault: str | None) -> None:
        async def change() -> None:
            with self._host.entered():
                self.mock.set_fault(fault)

        self._backends.call(change())


class Backends:
    """An event loop in a thread of its own: tests that run programs block, and the mocks must go on."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mock backends")
        self._mocks: list[MockBackend] = []

    def __enter__(self) -> Backends:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for mock in self._mocks:
            self.call(mock.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_LIMIT_S)
        self._loop.close()

    def __call__(
        self, host: Host, kind: str, port: int, listen: str | Sequence[str] = EVERYWHERE, **options: Any
    ) -> Backend:
        """Start a mock backend of ``kind`` in ``host``."""
        mock = MockBackend(kind, host=listen, port=port, **options)

        async def start() -> None:
            with host.entered():
                await mock.start()

        self.call(start())
        self._mocks.append(mock)
        return Backend(self, host, mock)

    def call(self, job: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the backends' thread."""
        return asyncio.run_coroutine_threadsafe(job, self._loop).result(_CALL_LIMIT_S)
