"""The probe as a source: look for unannounced services on localhost and on named hosts, again and again.

First which ports listen (:mod:`.scan`), then what answers at those only (:mod:`.probe`). A second sweep looks
again at what it knows and at what is new; what listens but is of no known kind is asked ever more seldom.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from hybridisco.core import problems
from hybridisco.core.identity import THIS_MACHINE
from hybridisco.core.kind import Kind
from hybridisco.core.liveness import next_check_after_s
from hybridisco.core.model import Announcement, Endpoint, Finding, SourceName, SourceState, Status, Withdrawal
from hybridisco.core.ports import Sink
from hybridisco.sources.knock import Knocked, Target, hang_up
from hybridisco.sources.resolve import resolve
from hybridisco.sources.scan import connected, listening

log = logging.getLogger(__name__)

_NOT_PLAIN = (problems.NOT_HTTP, problems.RESET)  # how a server that wants TLS takes plain HTTP …
_NOT_TLS = (problems.NO_TLS,)  # … and the other way round
_SILENT = (None, problems.SILENT, problems.TIMEOUT)  # None: it is still being asked
_SILENT_SHOWN = 5  # silent ports named in the state's detail
_HELD_S = 1.0  # a connection on which nothing is said yet
_DULL = 3  # failures that count from the start for what is of no known kind: it is asked seldom at once


class Identifier(Protocol):
    """What the sweep needs of the probe."""

    async def identify(
        self, endpoint: Endpoint, claimed: str | None = ..., connected: Callable[[], socket.socket | None] = ...
    ) -> Finding: ...


@dataclass(slots=True)
class _Known:
    """What the sweep remembers of a port that listens."""

    endpoint: Endpoint
    kind: str | None = None
    failures: int = 0
    next_at: float = 0.0
    emitted: bool = False
    cause: str | None = None
    said: tuple[str | None, str | None] | None = None  # the last that was logged


class SweepSource:
    """Finds services by looking.

    :param identifier: gives the probe when it is needed for the first time; with no port open it never is.
    :param hosts: names and addresses to look at.
    :param ports: ranges (first, last) that are searched besides every kind's own ports.
    :param again_s: seconds from one sweep to the next.
    :param knocked: what an early knock at all :attr:`ports` of this machine's loopback addresses has found: the first
        sweep goes by it. Its sockets are closed by this source, even if it never runs.
    :param tended: tells of a target (address, port) whether somebody else looks after it: then it is not asked.
    """

    name = SourceName.PROBE

    def __init__(
        self,
        identifier: Callable[[], Awaitable[Identifier]],
        hosts: Sequence[str],
        ports: Sequence[tuple[int, int]],
        kinds: Sequence[Kind],
        again_s: float = 5.0,
        tended: Callable[[Target], bool] = lambda _: False,
        knocked: Knocked | None = None,
    ) -> None:
        self._identifier = identifier
        self._hosts = tuple(dict.fromkeys(hosts))
        usual = [port for kind in kinds for port in kind.ports]
        self.ports = tuple(dict.fromkeys([*usual, *(p for low, high in ports for p in range(low, high + 1))]))
        self._again_s = again_s
        self._tended = tended
        self._known: dict[Target, _Known] = {}
        self._knocked = knocked
        self._sockets: dict[Target, socket.socket | None] = {}  # connected, and not handed on yet
        weakref.finalize(self, _hang_up, self._sockets)
        if knocked is not None:
            self._sockets.update(knocked[0])
        self._settled = asyncio.Event()
        self._wake = asyncio.Event()
        self._unresolved: tuple[str, ...] = ()
        self._told: dict[str, tuple[int, ...]] = {}

    @property
    def state(self) -> SourceState:
        """Running until the first sweep is done; then what could not be looked at, if anything."""
        silent = self._silent()
        if not self._settled.is_set():
            looking = f"looking at {len(self.ports)} ports of {', '.join(self._hosts)}"
            return SourceState("running", "; ".join([looking, *_said(silent)]), silent)
        if self._unresolved:
            state = "error" if len(self._unresolved) == len(self._hosts) else "partial"
            return SourceState(state, f"these hosts have no address: {', '.join(self._unresolved)}", silent)
        return SourceState("ok", next(_said(silent), None), silent)

    def _silent(self) -> tuple[Endpoint, ...]:
        """Return what listens but has said nothing: it is probably loading or stuck. What talks nonsense is not."""
        # The copy is made in one step: this is also asked from other threads.
        return tuple(
            known.endpoint for known in list(self._known.values()) if not known.emitted and known.cause in _SILENT
        )

    async def settled(self) -> None:
        """Return when the first sweep is done, or the first one after a :meth:`rescan`."""
        await self._settled.wait()

    def rescan(self) -> None:
        """Sweep again now, and look at everything anew."""
        for known in self._known.values():
            known.next_at = 0.0
        self._settled.clear()
        self._wake.set()

    async def run(self, sink: Sink) -> None:
        """Sweep until cancelled."""
        while True:
            self._wake.clear()
            # Who can talk to one only is not kept occupied, should the others take long.
            patience = asyncio.get_running_loop().call_later(_HELD_S, _hang_up, self._sockets)
            try:
                await self._sweep(sink)
            finally:
                patience.cancel()
                self._knocked = None
                _hang_up(self._sockets)
            if not self._wake.is_set():  # else it was woken meanwhile: that sweep began too early to count
                self._settled.set()
            try:
                async with asyncio.timeout(self._again_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _sweep(self, sink: Sink) -> None:
        unresolved = []
        open_now: set[Target] = set()
        async with asyncio.TaskGroup() as group:

            async def one(host: str) -> None:
                addresses = await resolve(host)
                if not addresses:
                    unresolved.append(host)
                for address, zone in addresses:
                    endpoint = Endpoint(address, 0, host=_name_to_say(host, address), interface=zone)
                    dial = endpoint.dial
                    targets = [(dial, port) for port in self.ports]
                    if host == THIS_MACHINE:
                        sockets = await connected(targets, self._knocked)
                        self._sockets.update(sockets)
                        found = list(sockets)
                    else:
                        found = await listening(targets, local=False)
                    open_now.update(found)
                    self._tell(dial, tuple(port for _, port in found))
                    for target in found:
                        if not self._tended(target):
                            known = self._known.setdefault(target, _Known(replace(endpoint, port=target[1])))
                            if known.next_at <= time.monotonic():
                                group.create_task(self._look(host, target, known, sink))
                                continue
                        hang_up([self._sockets.pop(target, None)])  # nobody is going to say anything

            for host in self._hosts:
                group.create_task(one(host))
        self._unresolved = tuple(host for host in self._hosts if host in unresolved)
        for target in self._known.keys() - open_now:
            if self._known.pop(target).emitted:
                sink.emit(Withdrawal(SourceName.PROBE, _ref(target)))

    def _tell(self, dial: str, ports: tuple[int, ...]) -> None:
        """Log which ports listen, when that is news."""
        if self._told.get(dial) != ports:
            self._told[dial] = ports
            log.info("%s: of %d ports listen: %s", dial, len(self.ports), ", ".join(map(str, ports)) or "none")

    async def _look(self, host: str, target: Target, known: _Known, sink: Sink) -> None:
        prober = await self._identifier()
        finding = await prober.identify(known.endpoint, known.kind, partial(self._sockets.pop, target, None))
        if finding.cause in (_NOT_TLS if known.endpoint.tls else _NOT_PLAIN):
            other = replace(known.endpoint, tls=not known.endpoint.tls)
            answer = await prober.identify(other, known.kind)
            if answer.alive:
                known.endpoint, finding = other, answer
        said = (finding.kind, finding.cause)
        if said != known.said:
            known.said = said
            what = f"{finding.kind or 'unknown'} {finding.version or ''}".strip()
            log.info("%s answers as %s (%s)", known.endpoint.url, what, finding.cause or finding.status.value)
        known.cause = finding.cause
        known.failures = 0 if finding.kind else max(known.failures, _DULL) + 1
        known.next_at = time.monotonic() + (next_check_after_s(known.failures) if known.failures else 0.0)
        if finding.status is Status.UNREACHABLE and not known.emitted:
            return  # it listens, and that is all that is known of it
        known.kind = finding.kind or known.kind
        known.emitted = True
        sink.emit(
            Announcement(SourceName.PROBE, _ref(target), (known.endpoint,), kind=known.kind, host=host, finding=finding)
        )


def _hang_up(sockets: dict[Target, socket.socket | None]) -> None:
    hang_up(sockets.values())
    sockets.clear()


def _said(silent: Sequence[Endpoint]) -> Iterator[str]:
    """Yield the silent places in words, if there are any."""
    if silent:
        shown = ", ".join(f"{place.dial}:{place.port}" for place in silent[:_SILENT_SHOWN])
        more = len(silent) - _SILENT_SHOWN
        yield f"open, but no answer: {shown}{f' and {more} more' if more > 0 else ''}"


def _ref(target: Target) -> str:
    return f"scan {target[0]} {target[1]}"


def _name_to_say(host: str, address: str) -> str | None:
    """Return the name for URLs and the Host header: the one that the user wrote, unless it is no name."""
    return None if host.partition("%")[0] in (THIS_MACHINE, address) else host
