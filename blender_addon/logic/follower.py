"""Follows discovery for a host that must never wait: a timer asks :meth:`Follower.tick`, which returns at once.

Theory of operation. A :class:`Discovery` works in a thread of its own. A tick compares what it tells without a lock
(its revision, whether it is complete, whether it runs) with what it told last; only when that differs is a snapshot
taken. What the former session knew, or the former discovery when the settings changed, is *last known*: it stays in
sight, marked, until it was found again or the search is complete without it. What a source saw that cannot search now
(no network) stays too: nobody has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from hybridisco import Config, HybridiscoError, ManualEntry, Service, Snapshot, Status

from .memory import not_checked
from .trust import KeyChange, untrusted
from .words import say

if TYPE_CHECKING:
    from concurrent.futures import Future


class Discovery(Protocol):
    """What is needed of :class:`hybridisco.DiscoveryThread`."""

    error: Exception | None

    @property
    def running(self) -> bool: ...

    @property
    def revision(self) -> int: ...

    @property
    def complete(self) -> bool: ...

    @property
    def states(self) -> object: ...

    @property
    def snapshot(self) -> Snapshot: ...

    def start(self) -> None: ...
    def stop(self, timeout_s: float = 2.0) -> bool: ...
    def rescan(self) -> None: ...
    def set_services(self, entries: Sequence[ManualEntry]) -> None: ...
    def key_changes(self, service_id: str) -> tuple[KeyChange, ...]: ...
    def accept_key(self, service_id: str, key: str | None = None) -> Future[None]: ...


class Phase(Enum):
    """What discovery is doing."""

    OFF = auto()
    SEARCHING = auto()
    FOLLOWING = auto()  # the search is complete; what changes is followed
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class View:
    """What is known at one moment. ``searched_at`` is when the last search was complete, in seconds since the epoch."""

    phase: Phase = Phase.OFF
    services: tuple[Service, ...] = ()
    last_known: frozenset[str] = frozenset()
    snapshot: Snapshot = field(default_factory=Snapshot)
    searched_at: float | None = None
    error: str | None = None

    def get(self, service_id: str) -> Service | None:
        """Return the service with this id, or None."""
        return next((service for service in self.services if service.id == service_id), None)


_State = tuple[int, bool, bool, bool, object]

_REFRESH_S = 60.0  # when something was last seen, and how fast it answers, are no changes: they are taken over so often


class Follower:
    """What is known now, for drawing.

    :param make: makes a discovery that has not been started.
    """

    def __init__(self, make: Callable[[Config], Discovery]) -> None:
        self._make = make
        self._discovery: Discovery | None = None
        self._ending: list[Discovery] = []
        self._told: _State | None = None
        self._taken_at = 0.0
        self._before: dict[str, Service] = {}
        self._is_new = False
        self.config: Config | None = None
        """The settings of the discovery that runs; None while none does."""
        self.view = View()

    @property
    def running(self) -> bool:
        """Whether a search was started and not stopped."""
        return self._discovery is not None

    def remember(self, services: Iterable[Service]) -> None:
        """Show these as last known until they were checked."""
        self._before = _before(services)
        self._show(replace(self.view, services=(), last_known=frozenset()))

    def start(self, config: Config) -> None:
        """Start searching with these settings, in the place of a search that runs. What is known stays in sight."""
        self._end()
        self._before = _before(self.view.services)
        self.config = config
        self._told = None
        self._discovery = self._make(config)
        self._discovery.start()
        self._show(replace(self.view, phase=Phase.SEARCHING, snapshot=Snapshot(), services=(), error=None))

    def set_services(self, entries: Sequence[ManualEntry]) -> None:
        """Go on with other manual entries; each is checked at once."""
        if self._discovery is not None and self.config is not None:
            self.config = replace(self.config, services=tuple(entries))
            self._discovery.set_services(entries)

    def rescan(self) -> None:
        """Look at everything again now."""
        if self._discovery is not None:
            self._discovery.rescan()

    def key_changes(self, service: Service) -> tuple[KeyChange, ...]:
        """Return the new keys of an untrusted service that were refused: the user may accept one."""
        return self._discovery.key_changes(service.id) if self._discovery and untrusted(service) else ()

    def accept_key(self, service: Service, key: str | None) -> Future[None] | None:
        """Trust a key that was refused, in the background; the future tells how that went."""
        return self._discovery.accept_key(service.id, key) if self._discovery else None

    def stop(self, timeout_s: float = 0.0) -> bool:
        """End the search; what is known stays as last known. Returns whether every thread ended in time."""
        self._end()
        if self.view.phase is not Phase.OFF:
            self._before = _before(self.view.services)
            self._show(replace(self.view, phase=Phase.OFF, services=(), snapshot=Snapshot(), error=None))
        share_s = timeout_s / max(1, len(self._ending))
        self._ending = [each for each in self._ending if not each.stop(share_s)]
        return not self._ending

    def forget(self) -> None:
        """Know nothing any more: the extension is being disabled."""
        self._before = {}
        self._show(View())

    def tick(self, now: float) -> bool:
        """Take over what is new; returns whether anything is. ``now`` is in seconds since the epoch."""
        changed, self._is_new = self._is_new, False
        self._ending = [each for each in self._ending if each.running]
        discovery = self._discovery
        if discovery is None:
            return changed
        error, states = discovery.error, discovery.states
        told = (discovery.revision, discovery.complete, discovery.running, error is not None, states)
        if told == self._told and abs(now - self._taken_at) < _REFRESH_S:
            return changed
        was_complete = self._told is not None and self._told[1]
        self._told, self._taken_at = told, now
        _, complete, running, _, _ = told
        snapshot = discovery.snapshot
        phase = Phase.FOLLOWING if complete else Phase.SEARCHING
        trouble = None
        if not running:
            phase, trouble = Phase.FAILED, _in_words(error)
        searched_at = now if complete and not was_complete else self.view.searched_at
        if complete:
            self._forget_checked(snapshot)
        self._show(View(phase, snapshot.services, frozenset(), snapshot, searched_at, trouble))
        self._is_new = False
        return True

    def _end(self) -> None:
        """Tell the discovery to end, without waiting for it."""
        if self._discovery is not None:
            if not self._discovery.stop(0.0):
                self._ending.append(self._discovery)
            self._discovery = self.config = self._told = None

    def _forget_checked(self, snapshot: Snapshot) -> None:
        """Forget what was looked for and not found."""
        idle = {name for name, state in snapshot.sources if state.state in ("error", "running")}
        self._before = {key: service for key, service in self._before.items() if idle & set(service.sources)}

    def _show(self, view: View) -> None:
        """Show the services of ``view``, and of those of before the ones that are not among them."""
        here = {service.id for service in view.services}
        places = {(service.kind, endpoint.key) for service in view.services for endpoint in service.endpoints}
        self._before = {key: service for key, service in self._before.items() if key not in here}
        before = [s for s in self._before.values() if not any((s.kind, end.key) in places for end in s.endpoints)]
        self.view = replace(
            view, services=(*view.services, *before), last_known=frozenset(service.id for service in before)
        )
        self._is_new = True


def _in_words(error: Exception | None) -> str:
    if error is None:
        return say("Discovery has ended by itself.")
    return str(error) if isinstance(error, HybridiscoError) else f"{type(error).__name__}: {error}".removesuffix(": ")


def _before(services: Iterable[Service]) -> dict[str, Service]:
    """Return what stays in sight as last known: not what was not trusted, which would look like any other then."""
    return {service.id: _unchecked(service) for service in services if not untrusted(service)}


def _unchecked(service: Service) -> Service:
    return replace(service, status=Status.STALE, verified=False, latency_ms=None, problem=not_checked())
