"""The mock backend on the wire: the one file of `hybridisco.testing` that knows aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from aiohttp import web

from hybridisco.testing import faults
from hybridisco.testing.backends import BACKENDS
from hybridisco.testing.listener import Listener
from hybridisco.testing.replies import Greeting, Options, Reply, Request, check_name

_SHUTDOWN_S: Final = 0.1  # for a handler under way to end by itself; a hanging one never would
_WS_CLOSE_S: Final = 0.2  # for the client to return a WebSocket's close
_KEPT_REQUESTS: Final = 10_000  # `hybridisco mock` may run for days: the oldest half is dropped beyond this
_NO_SERVER: Final = ""  # marks a reply that must go out without a Server header


class MockBackend:
    """One mock backend, serving from `async with` (or `start`) on until it is closed.

    Args:
        kind: one of `MOCK_KINDS`, or `web` for a plain web server that is no AI backend.
        host: the address to listen on, or several: all get the same port.
        port: the port; 0 takes any free one.
        fault: one of `FAULTS`, None for good health; `set_fault` changes it while the mock runs.
        options: the fields of `replies.Options`: flavour, version, title, queue, vram_mib, gpu, auth,
            delay_s, wrong_kind.

    Attributes:
        requests: what arrived, oldest first, faults or not: `(method, path, headers, query)` each.
        paid_calls: how many of them would have spent money at the real program (LiteLLM's `/health` and
            completions). A prober must keep it at 0.

    Raises:
        ValueError: an unknown kind, fault or option value; the message lists what is allowed.
        TypeError: an unknown option.
    """

    def __init__(
        self,
        kind: str,
        *,
        host: str | Sequence[str] = "127.0.0.1",
        port: int = 0,
        fault: str | None = None,
        **options: Any,
    ) -> None:
        self.kind = check_name("kind of mock", kind, BACKENDS)
        self.options = Options(**options)
        if self.options.wrong_kind is not None:
            check_name("wrong_kind", self.options.wrong_kind, BACKENDS)
        self.requests: list[Request] = []
        self.paid_calls = 0
        self._fault = faults.check_fault(fault)
        self._hosts = (host,) if isinstance(host, str) else tuple(host)
        self._wanted_port = port
        self._port: int | None = None
        self._arrived = asyncio.Event()
        self._websockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None
        self._listener: Listener | None = None

    async def __aenter__(self) -> MockBackend:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- what a test asks it ----------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on; the same on every address.

        Raises:
            RuntimeError: it was not started.
        """
        if self._port is None:
            raise RuntimeError("the mock backend has no port before it is started: use it with `async with`")
        return self._port

    @property
    def url(self) -> str:
        """Where to reach it, without a slash at the end; at its first address if it has several."""
        return self.urls[0]

    @property
    def urls(self) -> tuple[str, ...]:
        """Where to reach it, one URL an address."""
        return tuple(f"http://{_dialable(host)}:{self.port}" for host in self._hosts)

    @property
    def fault(self) -> str | None:
        """What is wrong with it at present."""
        return self._fault

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Method and path of everything that arrived, oldest first."""
        return [(request.method, request.path) for request in self.requests]

    async def wait_for_request(self, path: str | None = None, *, count: int = 1, timeout_s: float = 5.0) -> Request:
        """Wait until `count` requests (for `path`, if given) have arrived, and return the last of these.

        Raises:
            TimeoutError: they did not within `timeout_s` seconds.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                found = [request for request in self.requests if path in (None, request.path)]
                if len(found) >= count:
                    return found[count - 1]
                self._arrived.clear()
                await self._arrived.wait()

    # -- what a test does to it -------------------------------------------------------------------------

    def set_fault(self, fault: str | None) -> None:
        """Go wrong in this way from the next request on; None is good health again.

        Requests under way keep the fault they met. `refuse` takes effect at once and cuts open connections;
        leaving it brings the mock back on the same port.

        Raises:
            ValueError: there is no such fault; the message lists those there are.
        """
        before, self._fault = self._fault, faults.check_fault(fault)
        if self._listener is None or before == fault:
            return
        if fault == "refuse":
            self._listener.shut()
            self._cut_connections()
        elif before == "refuse":
            self._listener.open()

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            OSError: the port cannot be had; the message names it and says why.
        """
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_response_prepare.append(_drop_default_server)
        app.on_shutdown.append(self._close_websockets)
        # A client that gives up on a hanging mock must not leave its handler behind.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S, handler_cancellation=True)
        await self._runner.setup()
        assert self._runner.server is not None
        listener = Listener(self._runner.server)
        try:
            self._port = listener.bind(self._hosts, self._wanted_port)
        except OSError:
            await self.close()
            raise
        self._listener = listener
        if self._fault != "refuse":
            listener.open()

    async def close(self) -> None:
        """Stop, and cut what is still open; within a second, whatever the clients do. May be called twice."""
        if self._listener is not None:
            await self._listener.close()
            self._listener = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # -- serving ----------------------------------------------------------------------------------------

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        request = Request(
            method=incoming.method,
            path=incoming.path,
            headers={name.lower(): value for name, value in incoming.headers.items()},
            query=dict(incoming.query),
        )
        fault = self._fault
        self._note(request, fault)
        if fault == "hang":
            await asyncio.get_running_loop().create_future()  # until the client or the test gives up
        if fault == "slow":
            await asyncio.sleep(self.options.delay_s)
        answer = faults.answer(self.kind, fault, request, self.options)
        if isinstance(answer, Greeting):
            return await self._greet(incoming, answer)
        return _response(answer)

    def _note(self, request: Request, fault: str | None) -> None:
        if len(self.requests) >= _KEPT_REQUESTS:
            del self.requests[: _KEPT_REQUESTS // 2]
        self.requests.append(request)
        if faults.is_paid(self.kind, fault, request, self.options):
            self.paid_calls += 1
        self._arrived.set()

    async def _greet(self, incoming: web.Request, greeting: Greeting) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=_WS_CLOSE_S)
        socket.headers["Server"] = greeting.server or _NO_SERVER
        await socket.prepare(incoming)
        self._websockets.add(socket)
        try:
            for frame in greeting.frames:
                await socket.send_str(frame)
            async for _ in socket:
                pass  # what clients say is of no interest; reading notices that they leave
        except ConnectionError:
            pass  # left before the greeting was out
        finally:
            self._websockets.discard(socket)
        return socket

    async def _close_websockets(self, app: web.Application) -> None:
        sockets = tuple(self._websockets)
        await asyncio.gather(*(socket.close(code=1001) for socket in sockets), return_exceptions=True)

    def _cut_connections(self) -> None:
        if self._runner is not None and self._runner.server is not None:
            for connection in self._runner.server.connections:
                connection.force_close()


def _dialable(host: str) -> str:
    """A host for a URL: the wildcard addresses become loopback, IPv6 gets its brackets."""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def _response(reply: Reply) -> web.Response:
    headers = {"Content-Type": reply.content_type, "Server": reply.server or _NO_SERVER}
    response = web.Response(status=reply.status, body=reply.body, headers=headers)
    response.headers.extend(reply.headers)
    if reply.chunked:
        response.enable_chunked_encoding()
    return response


async def _drop_default_server(request: web.Request, response: web.StreamResponse) -> None:
    # aiohttp signs every response that has no Server header: an empty one stands for "none" until here.
    if response.headers.get("Server") == _NO_SERVER:
        del response.headers["Server"]
