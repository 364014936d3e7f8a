"""The LAN as a source: browse, resolve and follow DNS-SD instances by mDNS (:mod:`.wire` has the packets).

Theory of operation. One browser listens. Our own question goes out at once with the QU bit (RFC 6762 section
5.4), because the browser's first one waits 20 to 120 ms, and then again after 1, 2, 4 … s with the known answers
in it (section 5.2, 7.1), because the browser soon only refreshes what it knows and would never find a responder
whose announcement was lost. Records that come along with an answer are taken from zeroconf's cache; only after
150 ms of quiet *one* query asks for all that is still missing. What was resolved is ours: the cache is no store.

Where another program shares port 5353 (Avahi, a sidecar), the system gives a unicast answer to only one of them,
which need not be us, and responders repeat by multicast what they said within the last second only later. So the
first question is also put from a port of our own, as RFC 6762 section 6.7 allows: those answers reach nobody else.
They may be cut short and are not kept up to date, so they only bring forward what multicast tells a little later.

An answer speaks of its own link only (section 14), and a newer one makes the cache forget the addresses of another
link. So what was heard of an instance on another link stays until the instance says something else or goes.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from hybridisco.core import safe, txt
from hybridisco.core.model import Announcement, SourceName, SourceState, Withdrawal
from hybridisco.core.ports import Sink
from hybridisco.sources.instance import announcement
from hybridisco.sources.interfaces import Interface, choice, interfaces, usable
from hybridisco.sources.wire import Wire, speakable

log = logging.getLogger(__name__)

QUIET_S = 0.15  # after the last answer: Avahi delays answers by 20 to 120 ms (RFC 6762 section 6)
LISTEN_AT_LEAST_S = 0.2
SILENCE_S = 0.75  # with no answer at all: Wi-Fi access points hold multicast back for up to 300 ms
_FOLLOW_EVERY_S = 3.0  # interfaces are compared so often
_ASK_AGAIN_S = (1.0, 3600.0)  # first interval, which doubles up to the second (RFC 6762 section 5.2)
_SPREAD = 0.02  # random part of the interval, lest machines switched on together stay in step
_REPEAT_S = 1.0  # responders announce themselves up to eight times, at least a second apart (section 8.3)
_MISSING_EVERY_S = 0.5
_MISSING_TRIES = 8
_OWN_PORT_S = 1.5  # Avahi answers within 120 ms; the rest is for slow networks
INSTANCE_LIMIT = 1024


@dataclass(slots=True)
class _Missing:
    """An instance that was named but is not resolved yet."""

    type: str
    name: str
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
        self._sink: Sink | None = None
        self._known: dict[str, Announcement] = {}
        self._emitted_at: dict[str, float] = {}
        self._missing: dict[str, _Missing] = {}
        self._asked_at: float | None = None
        self._heard_at: float | None = None
        self._stirred = asyncio.Event()
        self._again = asyncio.Event()
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

    def rescan(self) -> None:
        """Ask again now, and then at the pace of a start."""
        self._asked_at = self._heard_at = None
        self._again.set()

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
            self._say_trouble(_no_interface(self._only, self._interfaces))
            await self._interfaces_changed()
        try:
            wire = Wire(sockets)
        except OSError as error:
            self._say_trouble(_no_socket(error))
            return
        try:
            log.info("Asking by mDNS on %s", ", ".join(i.name for i in usable(self._interfaces, self._only)))
            await wire.browse(
                self._types, lambda *what: self._changed(wire, *what), lambda name: self._repeated(wire, name)
            )
            self._say_trouble(None)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask_from_own_port(sockets))
                group.create_task(self._keep_asking(wire))
                group.create_task(self._ask_for_missing(wire))
                group.create_task(self._follow_interfaces(wire))
        finally:
            await wire.close()

    # -- what we hear ---------------------------------------------------------------------------------

    def _changed(self, wire: Wire, service_type: str, name: str, gone: bool) -> None:
        self._heard_at = time.monotonic()
        self._stirred.set()
        key = name.lower()
        if gone:
            self._missing.pop(key, None)
            self._known.pop(key, None)
            self._emitted_at.pop(key, None)
            log.info("mDNS: %s is gone", safe.text(name))
            self._emit(Withdrawal(SourceName.MDNS, key))
            return
        if not speakable(name):
            self._drop("%s is no name that can be asked for", safe.text(name))
            return
        if not wire.announced(service_type, name):
            return  # a record of what has said goodbye
        if key not in self._known and len(self._known) + len(self._missing) >= INSTANCE_LIMIT:
            self._drop("more than %d instances", INSTANCE_LIMIT)
            return
        self._resolve(wire, service_type, name)

    def _resolve(self, wire: Wire, service_type: str, name: str, *, unless_same_for_s: float = 0.0) -> None:
        """Announce an instance if the cache has all of it, else note that something is missing.

        :param unless_same_for_s: do not repeat within so many seconds what was said before.
        """
        instance = wire.read(service_type, name)
        if instance is None:
            self._missing.setdefault(name.lower(), _Missing(service_type, name))
            return
        self._missing.pop(name.lower(), None)
        lan = usable(self._interfaces, self._only)
        said, dropped = announcement(instance, self._types.get(service_type), self._interfaces, lan)
        self.dropped += dropped
        if said is None:
            self._drop("%s names no address or port that can be used", safe.text(name))
            return
        if name.lower() not in self._known:
            log.info("mDNS: %s announces %s at %s", said.name, said.kind, ", ".join(e.url for e in said.endpoints))
        key, now, said = name.lower(), time.monotonic(), self._with_other_links(said)
        if said == self._known.get(key) and now - self._emitted_at[key] < unless_same_for_s:
            return
        self._known[key], self._emitted_at[key] = said, now
        self._emit(said)

    def _repeated(self, wire: Wire, name: str) -> None:
        """Pass on an announcement that says nothing new: what was silent is back, and is looked at again at once.

        It is read anew: an address that it no longer names has been flushed meanwhile (RFC 6762 section 10.2).
        """
        service_type = next((each for each in self._types if name.lower().endswith(f".{each.lower()}")), None)
        if service_type is not None and name.lower() in self._known:
            self._resolve(wire, service_type, name, unless_same_for_s=_REPEAT_S)

    def _with_other_links(self, said: Announcement) -> Announcement:
        """Return ``said`` with the endpoints that were heard before on links of which it does not speak."""
        before = self._known.get(said.ref)
        if before is None:
            return said
        others = {interface.name for interface in self._interfaces} - {e.interface for e in said.endpoints}
        first = said.endpoints[0]
        way = (first.port, first.tls, first.path)
        kept = (e for e in before.endpoints if e.interface in others and (e.port, e.tls, e.path) == way)
        return replace(said, endpoints=(*said.endpoints, *kept))

    def _emit(self, datum: Announcement | Withdrawal) -> None:
        if self._sink is not None:
            self._sink.emit(datum)

    def _drop(self, why: str, *args: object) -> None:
        self.dropped += 1
        log.log(logging.WARNING if self.dropped == 1 else logging.DEBUG, "Announcement dropped: " + why, *args)

    def _say_trouble(self, trouble: str | None) -> None:
        if trouble and trouble != self._trouble:
            log.info("%s", trouble)  # whoever shows our state shows it
        self._trouble = trouble
        self._stirred.set()

    # -- what we ask ----------------------------------------------------------------------------------

    async def _ask_from_own_port(self, sockets: list[str | int]) -> None:
        """Ask once from a port that nobody shares, and listen there for a moment."""
        try:
            aside = Wire(sockets, own_port=True)
        except OSError as error:
            log.debug("No question from a port of our own: %s", error)
            return

        def heard(service_type: str, name: str, gone: bool) -> None:
            if not gone:
                self._changed(aside, service_type, name, gone)

        try:
            await aside.browse(self._types, heard)
            aside.ask(self._types)
            await asyncio.sleep(_OWN_PORT_S)
        finally:
            await aside.close()

    async def _keep_asking(self, wire: Wire) -> None:
        """Ask who is there, ever more seldom."""
        first_s, longest_s = _ASK_AGAIN_S
        interval_s = first_s
        wire.ask(self._types, unicast=True)
        self._note_asked()
        while True:
            again = await self._pause(interval_s * random.uniform(1 - _SPREAD, 1 + _SPREAD))
            wire.ask(self._types)
            if again:
                self._note_asked()
            interval_s = first_s if again else min(interval_s * 2, longest_s)

    def _note_asked(self) -> None:
        self._asked_at = time.monotonic()
        self._stirred.set()

    async def _pause(self, seconds: float) -> bool:
        """Wait, but not on when somebody wants to know now; returns whether that was so.

        However often that is: a question is not put twice within a second (RFC 6762 section 5.2).
        """
        began = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()
        again = self._again.is_set()
        self._again.clear()
        await asyncio.sleep(max(0.0, _ASK_AGAIN_S[0] * (1 - _SPREAD) - (time.monotonic() - began)))
        return again

    async def _ask_for_missing(self, wire: Wire) -> None:
        """Once the answers have stopped, ask for all that is missing in one query."""
        while True:
            if not self._missing:
                await asyncio.sleep(QUIET_S / 3)
                continue
            quiet_s = time.monotonic() - (self._heard_at or 0.0)
            if quiet_s < QUIET_S:
                await asyncio.sleep(QUIET_S - quiet_s)
                continue
            for key, missing in list(self._missing.items()):
                self._resolve(wire, missing.type, missing.name)
                missing.tries += 1
                if key in self._missing and missing.tries > _MISSING_TRIES:
                    del self._missing[key]
                    self._drop("%s does not say where it is", safe.text(missing.name))
            wire.ask_for_missing([missing.name for missing in self._missing.values()])
            await asyncio.sleep(_MISSING_EVERY_S)

    async def _follow_interfaces(self, wire: Wire) -> None:
        """Notice interfaces that come, go or get another address; then listen and ask there too.

        A new IPv6 address cannot be used for a second or two (RFC 4862 section 5.4), so that what could not be had
        is tried again.
        """
        while True:
            await self._interfaces_changed(or_if=lambda: wire.lacks(choice(usable(self._interfaces, self._only))))
            if sockets := choice(usable(self._interfaces, self._only)):
                await wire.move(sockets)
                wire.ask(self._types, unicast=True)

    async def _interfaces_changed(self, or_if: Callable[[], bool] = lambda: False) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_EVERY_S)
            now = interfaces()
            if now != self._interfaces:
                self._interfaces = now
                self._on_interfaces(now)
                return
            if or_if():
                return


def _no_interface(only: tuple[str, ...], every: tuple[Interface, ...]) -> str:
    there = ", ".join(interface.name for interface in every if not interface.loopback)
    if only and there:
        return (
            f"None of the interfaces {', '.join(only)} is up here; there are: {there}. Correct `interfaces` in the "
            "[mdns] section of your settings."
        )
    return "No network interface is up. Connect this machine to a network."


def _no_socket(error: OSError) -> str:
    return (
        f"mDNS could not be started ({error.strerror or error}). Probably another program holds UDP port 5353 "
        "for itself. Stop it, or allow this program to use multicast."
    )
