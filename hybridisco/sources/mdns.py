"""The LAN as a source: browse, resolve and follow DNS-SD instances by mDNS.

Theory of operation. A packet comes in by :mod:`.wire`, passes :mod:`.guard`, and changes :mod:`.table`; here that
becomes announcements (:mod:`.claims`), and here is decided what to ask (:mod:`.asking` says when): who is there, what
is missing after the answers have stopped, and, at once, about what somebody wants to take away.

Where another program shares port 5353 (Avahi, a sidecar), the system gives a unicast answer to only one of them,
which need not be us, and responders repeat by multicast what they said within the last second only later. So the
first question is also put from a port of our own, as RFC 6762 section 6.7 allows: those answers reach nobody else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from hybridisco.core import safe, trust, txt
from hybridisco.core.model import Announcement, SourceName, SourceState, Withdrawal
from hybridisco.core.packet import AAAA, PTR, SRV, TXT, A, Packet
from hybridisco.core.ports import Sink
from hybridisco.sources.asking import Asking
from hybridisco.sources.claims import Claims
from hybridisco.sources.guard import REASONS, Guard
from hybridisco.sources.interfaces import (
    Interface,
    carries_traffic,
    choice,
    gateways,
    interface_towards,
    interfaces,
    second_family,
    usable,
)
from hybridisco.sources.table import INSTANCE_LIMIT, Instance, Table
from hybridisco.sources.turns import ask_in_turn
from hybridisco.sources.watch import NetworkWatch
from hybridisco.sources.wire import KnownAnswer, Question, Wire

log = logging.getLogger(__name__)

QUIET_S = 0.15  # after the last answer: Avahi delays answers by 20 to 120 ms (RFC 6762 section 6)
LISTEN_AT_LEAST_S = 0.2
SILENCE_S = 0.75  # with no answer at all: Wi-Fi access points hold multicast back for up to 300 ms
_SETTLE_S = 0.01  # after the kernel has told of a change: the others that belong to it come within milliseconds
_MISSING_TRIES = 8
_OWN_PORT_S = 1.5  # Avahi answers within 120 ms; the rest is for slow networks
_AGE_EVERY_S = 0.1
# epoll(7) counts in milliseconds, of which it waits for the next: so a goodbye's second is kept to one, not up to two.
_TIMER_S = 0.001
_ASK_AT_ONCE = 64  # names in one question about what is missing or in doubt


class MdnsSource:
    """Finds services that announce themselves.

    :param types: DNS-SD types to browse, each with the kind that it stands for (None: its TXT record says).
    :param only: names of interfaces to use; all that lead to a LAN when empty.
    :param verify: checks a signature; None leaves all unchecked.
    """

    name = SourceName.MDNS

    def __init__(
        self,
        types: Mapping[str, str | None] | None = None,
        only: tuple[str, ...] = (),
        verify: trust.Verify = lambda *_: None,
    ) -> None:
        self._types = {txt.SERVICE_TYPE: None, **(types or {})}
        self._only = only
        self._interfaces: tuple[Interface, ...] = ()
        self._dead: frozenset[str] = frozenset()
        self._sink: Sink | None = None
        self._table = Table(self._types)
        self._guard = Guard(self._link_of, self._table.knows)
        self._asking = Asking()
        self._claims = Claims(self._table, self._types, verify, self._emit, self.reconfirm)
        self._heard_at: float | None = None
        self._touched: dict[str, bool] = {}
        self._doubt = asyncio.Event()
        self._stirred = asyncio.Event()
        self._trouble: str | None = None

    @property
    def state(self) -> SourceState:
        """How browsing goes; ``error`` where this machine has no network to browse on."""
        if self._trouble:
            return SourceState("error", self._trouble)
        if self._asking.asked_at is None:
            return SourceState("running")
        # Not all that was said could be kept: people are told, and not only programs that read the details.
        return SourceState("partial" if self._table.refused else "ok", "; ".join(self._losses()) or None)

    def _losses(self) -> list[str]:
        """Return in words what was dropped."""
        values, packets, refused = self._claims.dropped, self._guard.dropped, self._table.refused
        why = ", ".join(f"{packets[reason]} {words}" for reason, words in REASONS.items() if packets[reason])
        return [
            *([f"{values} malformed values were dropped"] if values else []),
            *([f"{packets.total()} packets were dropped ({why})"] if packets else []),
            *([f"{refused} instances beyond {INSTANCE_LIMIT} were left out"] if refused else []),
        ]

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
        self._heard_at = None
        self._asking.restart()

    def ask_again(self) -> None:
        """Ask who is there, for nobody in particular: the network was away, and what was said meanwhile is lost."""
        self._asking.restart(quietly=True)

    def reconfirm(self, ref: str) -> None:
        """Ask whether an announcement still holds, and where: what it names does not answer (RFC 6762 section 10.4)."""
        if ref.partition("\n")[0] in self._table:
            self._asking.doubt(ref.partition("\n")[0])
            self._doubt.set()

    def _settles_in_s(self) -> float:
        if self._trouble:
            return 0.0
        asked_at = self._asking.asked_at
        if asked_at is None:
            return 60.0
        now = time.monotonic()
        if self._heard_at is None:
            return asked_at + SILENCE_S - now
        due = max(self._heard_at + QUIET_S, asked_at + LISTEN_AT_LEAST_S)
        if self._claims.missing:
            due = max(due, now + QUIET_S)
        return due - now

    async def run(self, sink: Sink) -> None:
        """Browse until cancelled."""
        self._sink = sink
        self._asking = Asking()
        with NetworkWatch(settle_s=_SETTLE_S) as watch:
            self._read_interfaces()
            while not (sockets := self._sockets()):
                self._say_trouble(_no_interface(self._only, self._interfaces))
                await watch.stirred()
                self._read_interfaces()
            try:
                wire = Wire(sockets, self._guard, self._hear, self._catch_up)
            except OSError as error:
                self._say_trouble(_no_socket(error))
                return
            try:
                log.info("Asking by mDNS on %s", ", ".join(i.name for i in usable(self._interfaces, self._only)))
                await wire.listen()
                self._say_trouble(None)
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._ask_from_own_port(wire, sockets))
                    group.create_task(self._keep_asking(wire))
                    group.create_task(self._ask_for_missing(wire))
                    group.create_task(self._ask_about_doubts(wire))
                    group.create_task(self._age())
                    group.create_task(self._follow(wire, watch))
            finally:
                try:
                    await wire.close()
                finally:  # cancelled again meanwhile, when a loop ends
                    await self._claims.presence.close()

    # -- what we hear ---------------------------------------------------------------------------------

    def _hear(self, packet: Packet) -> None:
        now = time.monotonic()
        for key, announced in self._table.heard(packet, now).items():
            self._heard_at = now
            self._touched[key] = announced or self._touched.get(key, False)

    def _catch_up(self) -> None:
        """Look at what was heard: once at each instance, however many packets spoke of it."""
        now = time.monotonic()
        touched, self._touched = self._touched, {}
        for key, announced in touched.items():
            try:
                self._claims.resolve(key, now, announced=announced)
            except Exception as error:  # noqa: BLE001 - one that breaks something takes no other with it
                log.error("%s could not be looked at: %r", safe.text(key), error)
        if touched:
            self._stirred.set()
        if self._table.in_doubt:
            self._doubt.set()

    async def _age(self) -> None:
        """Let time pass: goodbyes come true, and what nobody repeats goes."""
        while True:
            goodbye = self._table.next_goodbye()
            wait_s = _AGE_EVERY_S if goodbye is None else goodbye - _TIMER_S - time.monotonic()
            await asyncio.sleep(min(max(wait_s, 0.0), _AGE_EVERY_S))
            now = time.monotonic()
            gone, touched = self._table.expire(now + _TIMER_S)
            for instance in gone:
                log.info("mDNS: %s is gone", safe.text(instance.name))
                self._claims.withdraw(instance.key)
            for key in touched:
                self._claims.resolve(key, now, announced=False)
            self._claims.age(now)

    def _emit(self, datum: Announcement | Withdrawal) -> None:
        if self._sink is not None:
            self._sink.emit(datum)

    def _say_trouble(self, trouble: str | None) -> None:
        if trouble and trouble != self._trouble:
            log.info("%s", trouble)  # whoever shows our state shows it
        self._trouble = trouble
        self._stirred.set()

    # -- what we ask ----------------------------------------------------------------------------------

    def _questions(self) -> list[Question]:
        return [(service_type, PTR) for service_type in self._types]

    def _known_answers(self) -> list[KnownAnswer]:
        now = time.monotonic()
        return [(one.type, one.name, one.ttl_s, age_s) for one, age_s in self._table.known_answers(now)]

    async def _ask_from_own_port(self, wire: Wire, sockets: list[str | int]) -> None:
        """Ask once from a port that nobody shares, and listen there for a moment."""
        if not wire.shares_port():
            return  # the answers to the first question all come to us
        try:
            aside = Wire(sockets, self._guard, self._hear, self._catch_up, own_port=True)
        except OSError as error:
            log.debug("No question from a port of our own: %s", error)
            return
        try:
            await aside.listen()
            await self._ask_in_turn(aside)
            await asyncio.sleep(_OWN_PORT_S)
        finally:
            await aside.close()

    async def _keep_asking(self, wire: Wire) -> None:
        """Ask who is there, ever more seldom."""
        self._asking.note_asked(time.monotonic())
        self._stirred.set()
        await self._ask_in_turn(wire)
        while True:
            await self._asking.next(self._table.refresh_at)
            self._asking.note_asked(time.monotonic())
            wire.ask(self._questions(), self._known_answers())
            self._stirred.set()

    async def _ask_in_turn(self, wire: Wire) -> None:
        late = second_family(usable(self._interfaces, self._only))
        await ask_in_turn(wire, self._questions(), late, self._known_answers, lambda: self._heard_at)

    async def _ask_for_missing(self, wire: Wire) -> None:
        """Once the answers have stopped, ask for all that is missing in one query."""
        while True:
            if not self._claims.missing:
                await asyncio.sleep(QUIET_S / 3)
                continue
            quiet_s = time.monotonic() - (self._heard_at or 0.0)
            if quiet_s < QUIET_S:
                await asyncio.sleep(QUIET_S - quiet_s)
                continue
            questions: list[Question] = []
            for key, tries in list(self._claims.missing.items()):
                instance = self._table.get(key)
                if instance is None or tries >= _MISSING_TRIES:
                    del self._claims.missing[key]
                    if instance is not None:
                        self._claims.drop("%s does not say where it is", safe.text(instance.name))
                    continue
                self._claims.missing[key] = tries + 1
                if len(questions) < 4 * _ASK_AT_ONCE:
                    questions += self._lacking(instance)
            wire.ask(questions)
            await asyncio.sleep(0.5)

    def _lacking(self, instance: Instance) -> list[Question]:
        """Return the questions for what is not known of an instance."""
        return [
            *([(instance.name, SRV)] if instance.server is None else []),
            *([(instance.name, TXT)] if instance.text is None else []),
            *(
                [(instance.server, A), (instance.server, AAAA)]
                if instance.server and not self._table.addresses(instance)
                else []
            ),
        ]

    async def _ask_about_doubts(self, wire: Wire) -> None:
        """Ask at once about what is said to leave or to be elsewhere, twice in a row, since a packet may be lost."""
        while True:
            await self._doubt.wait()
            self._doubt.clear()
            leaving, hosts = self._table.doubtful()
            names = [one.name for key in self._asking.doubted(time.monotonic()) if (one := self._table.get(key))]
            questions: list[Question] = [(name, SRV) for name in (*leaving, *names)][:_ASK_AT_ONCE]
            questions += [(name, TXT) for name in names][:_ASK_AT_ONCE]
            questions += [(name, kind) for name in hosts[:_ASK_AT_ONCE] for kind in (A, AAAA)]
            questions = [question for question in questions if self._asking.allows(question, time.monotonic())]
            wire.ask(questions)
            if questions:
                # Responders do not answer the same question twice within 0.8 s.
                asyncio.get_running_loop().call_later(1.0, self._ask_again, wire, questions)

    def _ask_again(self, wire: Wire, questions: list[Question]) -> None:
        leaving, hosts = self._table.doubtful()
        wire.ask([question for question in questions if question[0] in (*leaving, *hosts)])

    # -- our own network ------------------------------------------------------------------------------

    def _sockets(self) -> list[str | int]:
        return choice(usable(self._interfaces, self._only))

    def _read_interfaces(self) -> bool:
        """Read the interfaces; returns whether something has changed."""
        now = interfaces()
        dead = frozenset(interface.name for interface in now if not carries_traffic(interface.name))
        routers = gateways()
        if (now, dead, routers) == (self._interfaces, self._dead, self._claims.gateways):
            return False
        self._interfaces, self._dead = now, dead
        self._claims.set_network(now, routers)
        self._guard.forget_links()
        return True

    def _link_of(self, source: str, zone: int) -> str | None:
        """Return the interface that leads to a neighbour, or to this machine itself."""
        if zone:
            return next((interface.name for interface in self._interfaces if interface.index == zone), None)
        return interface_towards(self._interfaces, source)

    async def _follow(self, wire: Wire, watch: NetworkWatch) -> None:
        """Notice interfaces that come, go or get another address; then listen and ask there too.

        A new IPv6 address cannot be used for a second or two (RFC 4862 section 5.4), so that what could not be had
        is tried again. Also after a sleep the network is taken for a new one.
        """
        while True:
            slept = await watch.stirred()
            changed = self._read_interfaces()
            sockets = self._sockets()
            lacking = wire.lacks(sockets)
            if not (changed or slept or lacking) or not sockets:
                continue
            await wire.move(sockets)
            if changed or slept:
                for key in [one.key for one in self._table]:
                    self._claims.resolve(key, time.monotonic(), announced=False)
            elif wire.lacks(sockets) == lacking:
                continue  # one that is never to be had is no reason to ask every two seconds
            await self._ask_in_turn(wire)
            self._asking.restart(quietly=True)


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
