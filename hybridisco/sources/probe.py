"""Identify what answers at one endpoint: HTTP by aiohttp, WebSocket by websockets. Only this file knows them.

What to ask and what the answers prove is decided in :mod:`hybridisco.core.fingerprint`; here the requests are
made, within bounds on everything: GET and the WebSocket upgrade only, no Origin, no cookies, no redirect
followed, no proxy, a cap on the body before and after decompression, on headers, on all that comes over the wire
whatever it is called there, and on the time.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from hybridisco._version import __version__
from hybridisco.core import problems, safe
from hybridisco.core.conditions import Reply, parse_json
from hybridisco.core.fingerprint import Identification
from hybridisco.core.kind import Kind
from hybridisco.core.model import Announcement, Endpoint, Finding, SourceName, Status, check_ref
from hybridisco.sources import causes
from hybridisco.sources.bounded import PAGE_LIMIT, Connector
from hybridisco.sources.gate import Gate
from hybridisco.sources.handover import Handover
from hybridisco.sources.resolve import is_refused

if TYPE_CHECKING:
    from websockets.asyncio.client import connect

log = logging.getLogger(__name__)

#: Octets of a body that are read, before and after decompression; pages of Gradio are larger.
BODY_LIMIT = 64 * 1024
_PAGES = frozenset({"/", "/config"})
_LINE_LIMIT = 8190  # octets of one header line
_HEADER_LIMIT = 100  # header lines
_TALK_LIMIT = 16 * 1024  # octets of a whole WebSocket conversation; ComfyUI's upgrade and first frame have 350

REQUEST_LIMIT_S = 2.0  # one request; a backend that is busy for longer is asked again at the next look
_CONNECT_S = 0.5  # then once more: a SYN that was lost is repeated by the system after a whole second only
_SERVICE_LIMIT_S = 5.0
_PER_ENDPOINT = 4  # connections to one endpoint at once
_AT_ONCE = 32  # endpoints looked at at once
_AT_ONE_ADDRESS = 8  # of them, at one other machine's address
_KEEP_ALIVE_S = 1.0  # long enough for one identification; a single-threaded server is not kept occupied
_RETRIES = 2
_RETRY_WITHIN_S = 1.0  # who takes longer to hang up is not asked again at this look
_BACKOFF_S = 0.1  # doubled at each retry, times a random factor of 0.5 to 1.5

#: Failures after which the same request may well succeed: something was there and hung up, or a packet was lost.
_PASSING = frozenset({problems.RESET, problems.TIMEOUT})


class HttpProbe:
    """The eye of Hybridisco. One instance, one HTTP session, for the life of the manager.

    :param kinds: the kinds to tell apart.
    :param limit_s: seconds that one endpoint may take in all (5 at the most).
    """

    def __init__(self, kinds: Sequence[Kind], limit_s: float = _SERVICE_LIMIT_S) -> None:
        self._kinds = tuple(kinds)
        self._limit_s = min(limit_s, _SERVICE_LIMIT_S)
        self._gate = Gate(_AT_ONCE, _AT_ONE_ADDRESS)
        self._session: aiohttp.ClientSession | None = None
        self._handover = Handover()
        self._ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # LAN boxes have self-signed certificates. Nothing secret is sent, and an answer proves only its kind.
        self._ssl.check_hostname = False
        self._ssl.verify_mode = ssl.CERT_NONE

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def check(self, endpoint: Endpoint, kind: str | None) -> Announcement:
        """Look at an endpoint that somebody claims. Never raises for what the network does."""
        if not endpoint.address:
            cause = problems.REBOUND if is_refused(endpoint.host or "") else problems.UNRESOLVED
            finding = Finding(Status.UNREACHABLE, cause=cause)
        elif endpoint.zone and not _exists(endpoint.zone):
            finding = Finding(Status.UNREACHABLE, cause=problems.NO_INTERFACE)
        else:
            finding = await self.identify(endpoint, kind)
        return Announcement(
            SourceName.PROBE, check_ref(endpoint.key), (endpoint,), kind=finding.kind, finding=finding, standing=False
        )

    async def identify(
        self,
        endpoint: Endpoint,
        claimed: str | None = None,
        connected: Callable[[], socket.socket | None] = lambda: None,
    ) -> Finding:
        """Return what answers at ``endpoint``; a kind that is claimed is looked for first.

        :param connected: gives a socket that is connected to the endpoint and does not block, if there is one: it is
            used for the first request, and closed.
        """
        async with self._gate.passing(endpoint.address):
            identification = Identification(self._kinds, endpoint.port, claimed)
            place = (endpoint.dial, endpoint.port)
            sock = connected()
            if sock is not None:
                self._handover.offer(place, sock)
            try:
                async with asyncio.timeout(self._limit_s):
                    await self._ask_all(endpoint, identification)
            except TimeoutError:
                log.debug("%s: not done after %.1f s", endpoint.url, self._limit_s)
            finally:
                if sock is not None:
                    self._handover.take_back(place)
            finding = identification.finding()
            if finding.status is Status.UNREACHABLE and finding.cause is None:
                finding = replace(finding, cause=problems.SILENT)
            log.debug("%s is %s, %s", endpoint.url, finding.kind or "unknown", finding.cause or finding.status.value)
            return finding

    async def _ask_all(self, endpoint: Endpoint, identification: Identification) -> None:
        """Make the requests that are wanted until nothing is wanted any more.

        The first goes alone, then some at once: a port that answers nothing, or floods, is not asked four times.
        """
        under_way: dict[str, asyncio.Task[Reply]] = {}
        at_once = 1
        try:
            while wanted := identification.wanted():
                for request in wanted:
                    if request not in under_way and len(under_way) < at_once:
                        under_way[request] = asyncio.create_task(self._ask(endpoint, request))
                done, _ = await asyncio.wait(under_way.values(), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    reply = task.result()
                    del under_way[reply.request]
                    identification.feed(reply)
                at_once = _PER_ENDPOINT
        finally:
            for task in under_way.values():
                task.cancel()
            await asyncio.gather(*under_way.values(), return_exceptions=True)

    async def _ask(self, endpoint: Endpoint, request: str) -> Reply:
        """Make one request, and again if something was there and hung up at once, or nothing came of the connection."""
        began = time.monotonic()
        for attempt in range(_RETRIES + 1):
            started = time.monotonic()
            try:
                async with asyncio.timeout(REQUEST_LIMIT_S):
                    reply = await (self._frame if request.startswith("ws:") else self._get)(endpoint, request)
            except Exception as error:  # noqa: BLE001 - a hostile reply must not end the probe, whatever it breaks
                reply = Reply(request, error=_cause(error))
                log.debug("%s %s: %s (%s)", endpoint.url, request, reply.error, _readable(error))
            else:
                reply = replace(reply, elapsed_ms=round((time.monotonic() - started) * 1000, 2))
                log.debug("%s %s: %d, %d characters", endpoint.url, request, reply.status, len(reply.body))
            late = time.monotonic() - began > _RETRY_WITHIN_S
            if reply.error not in _PASSING or attempt == _RETRIES or late:
                return reply
            await asyncio.sleep(_BACKOFF_S * 2**attempt * random.uniform(0.5, 1.5))
        raise AssertionError("the loop returns")

    async def _get(self, endpoint: Endpoint, path: str) -> Reply:
        limit = PAGE_LIMIT if path in _PAGES else BODY_LIMIT
        async with self._open_session().get(
            _url(endpoint, path),
            headers={"Host": _host_header(endpoint)},
            allow_redirects=False,
            ssl=self._ssl,
            server_hostname=endpoint.host if endpoint.tls and endpoint.host else None,
        ) as response:
            raw = await _read(response.content, limit)
            body = _decompress(raw, response.headers.get("Content-Encoding", ""), limit)
            text = body.decode("utf-8", "replace")
            headers = tuple((name.lower(), value) for name, value in response.headers.items())
            complete = len(body) <= limit
            if len(raw) > limit:
                response.close()  # do not let the rest arrive
        data = {"data": parse_json(text)} if complete else {}
        return Reply(path, response.status, headers, text[:limit], **data)  # type: ignore[arg-type]

    async def _frame(self, endpoint: Endpoint, request: str) -> Reply:
        """Upgrade to a WebSocket, and return its first text frame as a reply with status 101."""
        path = request.removeprefix("ws:")
        url = replace(endpoint, interface=None).url.replace("http", "ws", 1) + path
        async with _websocket()(
            url,
            host=endpoint.dial,
            port=endpoint.port,
            origin=None,
            compression=None,
            proxy=None,
            user_agent_header=f"hybridisco/{__version__}",
            open_timeout=REQUEST_LIMIT_S,
            ping_interval=None,
            close_timeout=0.2,
            max_size=BODY_LIMIT,
            max_queue=1,
            ssl=self._ssl if endpoint.tls else None,
        ) as websocket:
            frame = await websocket.recv()
        text = frame if isinstance(frame, str) else ""
        return Reply(request, 101, (), text, data=parse_json(text))

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Connector(
                    limit=_AT_ONCE * 2,
                    limit_per_host=_PER_ENDPOINT,
                    keepalive_timeout=_KEEP_ALIVE_S,
                    use_dns_cache=False,
                    ssl=self._ssl,
                    socket_factory=self._handover,
                ),
                timeout=aiohttp.ClientTimeout(total=REQUEST_LIMIT_S, sock_connect=_CONNECT_S),
                headers={
                    "User-Agent": f"hybridisco/{__version__}",
                    "Accept": "*/*",
                    "Accept-Encoding": "identity",
                },
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                max_line_size=_LINE_LIMIT,
                max_field_size=_LINE_LIMIT,
                max_headers=_HEADER_LIMIT,
                read_bufsize=BODY_LIMIT,
            )
        return self._session


@functools.cache
def _websocket() -> type[connect]:
    """Return websockets' ``connect`` with our bounds. Importing it takes 0.1 s and is seldom needed."""
    from websockets.asyncio.client import ClientConnection, connect

    class Connection(ClientConnection):
        """A conversation that ends after so many octets, whatever they are: pings, fragments, a close's reason."""

        _octets = 0

        def data_received(self, data: bytes) -> None:
            room = max(0, _TALK_LIMIT - self._octets)
            self._octets += len(data)
            if room:
                super().data_received(data[:room])
            if self._octets > _TALK_LIMIT:
                self.transport.abort()

    class Connect(connect):
        """A connect that stays where it was sent: a redirect is an error."""

        def __init__(self, *target: Any, **options: Any) -> None:
            super().__init__(*target, create_connection=Connection, **options)

        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    return Connect


def _exists(zone: str) -> bool:
    try:
        return bool(socket.if_nametoindex(zone))
    except OSError:
        return zone.isdigit()


def _readable(error: BaseException) -> str:
    """Return an exception as one short clean line for the log: a hostile server may have written its message."""
    return safe.text(f"{type(error).__name__}: {error}", 160) or type(error).__name__


def _url(endpoint: Endpoint, path: str) -> URL:
    """Return the URL to dial: the address that was checked, with its zone, never a name."""
    host = f"[{endpoint.dial}]" if ":" in endpoint.dial else endpoint.dial
    scheme = "https" if endpoint.tls else "http"
    return URL(f"{scheme}://{host}:{endpoint.port}{endpoint.path.rstrip('/')}{path}", encoded=True)


def _host_header(endpoint: Endpoint) -> str:
    """Return the Host header: the name that the user wrote, else the address. Never a zone (RFC 6874)."""
    return replace(endpoint, interface=None, path="/").url.partition("://")[2]


async def _read(stream: aiohttp.StreamReader, limit: int) -> bytes:
    """Return the body, or a little more than ``limit`` octets of it."""
    chunks: list[bytes] = []
    size = 0
    while size <= limit and (chunk := await stream.read(limit + 1 - size)):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _decompress(raw: bytes, encoding: str, limit: int) -> bytes:
    """Undo a Content-Encoding that we did not ask for, up to a little more than ``limit`` octets."""
    if encoding.lower() in ("", "identity"):
        return raw
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        return b""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(raw, limit + 1)
    except zlib.error:
        return b""


def _cause(error: BaseException) -> str:
    """Return which of :mod:`hybridisco.core.problems` an exception of the network or a library amounts to."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return problems.TIMEOUT
    if isinstance(error, TimeoutError):
        return problems.SILENT
    if isinstance(error, ssl.SSLError | aiohttp.ClientSSLError):
        return problems.NO_TLS
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | EOFError):
        return problems.RESET
    if isinstance(error, socket.gaierror):
        return problems.UNRESOLVED
    if isinstance(error, OSError):
        return causes.of(error)
    return problems.NOT_HTTP
