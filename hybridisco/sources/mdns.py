"""The LAN as a source: browse, resolve and follow DNS-SD instances by mDNS. Only this file (and the sidecar's
engine) knows zeroconf.

Theory of operation. One browser listens. Our own question goes out at once with the QU bit (RFC 6762 section
5.4), because the browser's first one waits 20 to 120 ms, and then again after 1, 2, 4 … s with the known answers
in it (section 5.2, 7.1), because the browser soon only refreshes what it knows and would never find a responder
whose announcement was lost. Records that come along with an answer are taken from zeroconf's cache; only after
150 ms of quiet *one* query asks for all that is still missing. What was resolved is ours: the cache is no store.

Where another program shares port 5353 (Avahi, a sidecar), the system gives a unicast answer to only one of them,
which need not be us, and responders repeat by multicast what they said within the last second only later. So the
first question is also put from a port of our own, as RFC 6762 section 6.7 allows: those answers reach nobody else.
They may be cut short and are not kept up to date, so they only bring forward what multicast tells a little later.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf._dns import DNSQuestion  # the one place for private names of zeroconf, with const below
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf
from zeroconf.const import (
    _CLASS_IN,
    _FLAGS_QR_QUERY,
    _TYPE_A,
    _TYPE_AAAA,
    _TYPE_PTR,
    _TYPE_SRV,
    _TYPE_TXT,
)

from hybridisco.core import safe, txt
from hybridisco.core.model import Announcement, SourceName, SourceState, Withdrawal
from hybridisco.core.ports import Sink
from hybridisco.sources.instance import Instance, announcement
from hybridisco.sources.interfaces import Interface, choice, interfaces, usable

log = logging.getLogger(__name__)

QUIET_S = 0.15  # after the last answer: Avahi delays answers by 20 to 120 ms (RFC 6762 section 6)
LISTEN_AT_LEAST_S = 0.2
SILENCE_S = 0.75  # with no answer at all: Wi-Fi access points hold multicast back for up to 300 ms
_FOLLOW_EVERY_S = 3.0  # interfaces are compared so often
_ASK_AGAIN_S = (1.0, 3600.0)  # first interval, which doubles up to the second (RFC 6762 section 5.2)
_SPREAD = 0.02  # random part of the interval, lest machines switched on together stay in step
_MISSING_EVERY_S = 0.5
_MISSING_TRIES = 8
_OWN_PORT_S = 1.5  # Avahi answers within 120 ms; the rest is for slow networks
INSTANCE_LIMIT = 1024
_RECEIVE_BUFFER = 4 * 1024 * 1024  # octets; a LAN of 1000 services answers in one burst


@dataclass(slots=True)
class _Missing:
    """An instance that was named but is not resolved yet."""

    type: str
    tries: int = 0


class MdnsSource:
    """Finds services that announce themselves.

    :param types: DNS-SD types to browse, each with the kind that it stands for (None: its TXT record says).
    :param only: names of interfaces to use; all that lead to a LAN when empty.
    :param on_interfaces: called with the interfaces at the start and whenever they changed.
    """

    name = SourceName.MDNS

    def __init__(
        self,
        types: Mapping[str, str | None] | None = None,
        only: tuple[str, ...] = (),
        on_interfaces: Callable[[tuple[Interface, ...]], None] = lambda _: None,
    ) -> None:
        self._types = {txt.SERVICE_TYPE: None, **(types or {})}
        self._only = only
        self._on_interfaces = on_interfaces
        self._interfaces: tuple[Interface, ...] = ()
        self._zeroconf: AsyncZeroconf | None = None
        self._sink: Sink | None = None
        self._known: set[str] = set()
        self._missing: dict[str, _Missing] = {}
        self._asked_at: float | None = None
        self._heard_at: float | None = None
        self._stirred = asyncio.Event()
        self._trouble: str | None = None
        self.dropped = 0
        """Instances and TXT values that were dropped because they cannot be right."""

    @property
    def state(self) -> SourceState:
        """How browsing goes; ``error`` where this machine has no network to browse on."""
        if self._trouble:
            return SourceState("error", self._trouble)
        if self._asked_at is None:
            return SourceState("running")
        return SourceState("ok", f"{self.dropped} malformed values were dropped" if self.dropped else None)

    async def settled(self) -> None:
        """Return when the network has been quiet for long enough to take the answer for complete."""
        while (wait_s := self._settles_in_s()) > 0:
            self._stirred.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._stirred.wait()
            except TimeoutError:
                continue

    def _settles_in_s(self) -> float:
        if self._trouble:
            return 0.0
        if self._asked_at is None:
            return 60.0
        now = time.monotonic()
        if self._heard_at is None:
            return self._asked_at + SILENCE_S - now
        due = max(self._heard_at + QUIET_S, self._asked_at + LISTEN_AT_LEAST_S)
        if self._missing:
            due = max(due, now + QUIET_S)
        return due - now

    async def run(self, sink: Sink) -> None:
        """Browse until cancelled."""
        self._sink = sink
        self._interfaces = interfaces()
        self._on_interfaces(self._interfaces)
        while not (sockets := choice(usable(self._interfaces, self._only))):
            self._say_trouble("No network interface is up. Connect this machine to a network.")
            await self._interfaces_changed()
        try:
            self._zeroconf = AsyncZeroconf(interfaces=sockets, ip_version=IPVersion.All)
            await self._zeroconf.zeroconf.async_wait_for_start()
        except OSError as error:
            self._say_trouble(
                f"mDNS could not be started ({error.strerror or error}). Probably another program holds UDP port 5353 "
                "for itself. Stop it, or allow this program to use multicast."
            )
            return
        browser = None
        try:
            self._say_trouble(None)
            _enlarge_buffers(self._zeroconf.zeroconf)
            browser = AsyncServiceBrowser(self._zeroconf.zeroconf, list(self._types), handlers=[self._changed])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask_from_own_port(sockets))
                group.create_task(self._keep_asking())
                group.create_task(self._ask_for_missing())
                group.create_task(self._follow_interfaces())
        finally:
            if browser is not None:
                await browser.async_cancel()
            await self._zeroconf.async_close()

    # -- what we hear ---------------------------------------------------------------------------------

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        self._heard()
        if state_change is ServiceStateChange.Removed:
            self._missing.pop(name, None)
            self._known.discard(name)
            self._emit(Withdrawal(SourceName.MDNS, name))
            return
        if name not in self._known and len(self._known) + len(self._missing) >= INSTANCE_LIMIT:
            self._drop("more than %d instances", INSTANCE_LIMIT)
            return
        self._resolve(zeroconf, service_type, name)

    def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        """Announce an instance if the cache has all of it, else note that something is missing."""
        info = AsyncServiceInfo(service_type, name)
        if not info.load_from_cache(zeroconf):
            self._missing.setdefault(name, _Missing(service_type))
            return
        self._missing.pop(name, None)
        addresses = tuple(info.parsed_scoped_addresses(IPVersion.All))
        instance = Instance(name, service_type, info.server, info.port, addresses, info.properties)
        lan = usable(self._interfaces, self._only)
        said, dropped = announcement(instance, self._types.get(service_type), self._interfaces, lan)
        self.dropped += dropped
        if said is None:
            self._drop("%s names no address or port that can be used", safe.text(name))
        else:
            self._known.add(name)
            self._emit(said)

    def _emit(self, datum: Announcement | Withdrawal) -> None:
        if self._sink is not None:
            self._sink.emit(datum)

    def _heard(self) -> None:
        self._heard_at = time.monotonic()
        self._stirred.set()

    def _drop(self, why: str, *args: object) -> None:
        self.dropped += 1
        log.log(logging.WARNING if self.dropped == 1 else logging.DEBUG, "Announcement dropped: " + why, *args)

    def _say_trouble(self, trouble: str | None) -> None:
        if trouble and trouble != self._trouble:
            log.warning("%s", trouble)
        self._trouble = trouble
        self._stirred.set()

    # -- what we ask ----------------------------------------------------------------------------------

    async def _ask_from_own_port(self, sockets: list[str | int]) -> None:
        """Ask once from a port that nobody shares, and listen there for a moment."""
        try:
            aside = AsyncZeroconf(interfaces=sockets, ip_version=IPVersion.All, unicast=True)
        except OSError as error:
            log.debug("No question from a port of our own: %s", error)
            return

        def heard(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            if state_change is not ServiceStateChange.Removed:
                self._changed(zeroconf, service_type, name, state_change)

        try:
            await aside.zeroconf.async_wait_for_start()
            browser = AsyncServiceBrowser(aside.zeroconf, list(self._types), handlers=[heard])
            aside.zeroconf.async_send(_question(self._types))
            await asyncio.sleep(_OWN_PORT_S)
            await browser.async_cancel()
        finally:
            await aside.async_close()

    async def _keep_asking(self) -> None:
        """Ask who is there, ever more seldom."""
        interval_s, longest_s = _ASK_AGAIN_S
        self._ask(unicast=True)
        self._asked_at = time.monotonic()
        self._stirred.set()
        while True:
            await asyncio.sleep(interval_s * random.uniform(1 - _SPREAD, 1 + _SPREAD))
            self._ask()
            interval_s = min(interval_s * 2, longest_s)

    def _ask(self, *, unicast: bool = False) -> None:
        assert self._zeroconf is not None
        zeroconf = self._zeroconf.zeroconf
        out = _question(self._types, unicast=unicast)
        now = time.monotonic() * 1000  # zeroconf counts in milliseconds of the monotonic clock
        for service_type in self._types:
            for record in zeroconf.cache.async_all_by_details(service_type, _TYPE_PTR, _CLASS_IN):
                if not record.is_stale(now):  # less than half of its life is over (RFC 6762 section 7.1)
                    out.add_answer_at_time(record, now)
        zeroconf.async_send(out)

    async def _ask_for_missing(self) -> None:
        """Once the answers have stopped, ask for all that is missing in one query."""
        assert self._zeroconf is not None
        zeroconf = self._zeroconf.zeroconf
        while True:
            if not self._missing:
                await asyncio.sleep(QUIET_S / 3)
                continue
            quiet_s = time.monotonic() - (self._heard_at or 0.0)
            if quiet_s < QUIET_S:
                await asyncio.sleep(QUIET_S - quiet_s)
                continue
            out = DNSOutgoing(_FLAGS_QR_QUERY)
            for name, missing in list(self._missing.items()):
                self._resolve(zeroconf, missing.type, name)
                if name not in self._missing:
                    continue
                missing.tries += 1
                if missing.tries > _MISSING_TRIES:
                    del self._missing[name]
                    self._drop("%s does not say where it is", safe.text(name))
                    continue
                _add_missing_questions(out, zeroconf, missing.type, name)
            if out.questions:
                zeroconf.async_send(out)
            await asyncio.sleep(_MISSING_EVERY_S)

    async def _follow_interfaces(self) -> None:
        """Notice interfaces that come, go or get another address; then listen and ask there too."""
        assert self._zeroconf is not None
        while True:
            await self._interfaces_changed()
            sockets = choice(usable(self._interfaces, self._only))
            if sockets:
                await self._zeroconf.async_update_interfaces(sockets, IPVersion.All)
                _enlarge_buffers(self._zeroconf.zeroconf)
                self._ask(unicast=True)

    async def _interfaces_changed(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_EVERY_S)
            now = interfaces()
            if now != self._interfaces:
                self._interfaces = now
                self._on_interfaces(now)
                return


def _question(types: Iterable[str], *, unicast: bool = False) -> DNSOutgoing:
    """Return the question which instances of ``types`` there are; ``unicast`` sets the QU bit."""
    out = DNSOutgoing(_FLAGS_QR_QUERY)
    for service_type in types:
        question = DNSQuestion(service_type, _TYPE_PTR, _CLASS_IN)
        question.unicast = unicast
        out.add_question(question)
    return out


def _add_missing_questions(out: DNSOutgoing, zeroconf: Zeroconf, service_type: str, name: str) -> None:
    cache = zeroconf.cache
    for record_type in (_TYPE_SRV, _TYPE_TXT):
        if not cache.async_all_by_details(name, record_type, _CLASS_IN):
            out.add_question(DNSQuestion(name, record_type, _CLASS_IN))
    info = AsyncServiceInfo(service_type, name)
    info.load_from_cache(zeroconf)
    if info.server:
        for record_type in (_TYPE_A, _TYPE_AAAA):
            if not cache.async_all_by_details(info.server, record_type, _CLASS_IN):
                out.add_question(DNSQuestion(info.server, record_type, _CLASS_IN))


def _enlarge_buffers(zeroconf: Zeroconf) -> None:
    """Make room for a burst of answers. zeroconf leaves the system's default, and loses 7 to 16 % of 1000."""
    for reader in zeroconf.engine.readers:
        sock = reader.transport.get_extra_info("socket")
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        except OSError as error:
            log.debug("The receive buffer stays small: %s", error)
