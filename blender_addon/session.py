"""The one place where the extension is wired: preferences, discovery, rows, choices and redraws.

Everything here runs on Blender's main thread and returns at once; the network is in discovery's own thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy

from hybridisco import Config, DiscoveryThread, Service, find_kind, make_config

from . import online, store, subscribers
from .logic import listing
from .logic.choices import Choice, choice_of, followed, found, with_choice
from .logic.follower import Follower, Phase
from .logic.settings import Complaint, Stored, settings_of
from .logic.trust import KeyChange, announced_id, untrusted
from .logic.words import say
from .logic.written import is_at

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .preferences import HybridiscoPreferences

log = logging.getLogger(__name__)

TICK_S = 0.25  # so the screen is redrawn four times a second at most
_SETTLE_S = 0.5  # after the last change of a setting: a slider that is dragged changes it at each step
_END_S = 2.0  # for the threads to end when the extension is disabled


class Session:
    """From the extension's registration to its end."""

    def __init__(self) -> None:
        self.follower = Follower(DiscoveryThread)
        self.rows = store.Rows()
        self.config: Config = make_config({})
        """The settings that the preferences amount to, whether anything runs or not."""
        self.complaints: tuple[Complaint, ...] = ()
        self._stored: Stored | None = None
        self._changed_at: float | None = None
        self._wanted = False
        self._begun = False
        self._select: Callable[[Service], bool] | None = None
        self._accepting: Future[None] | None = None
        self._accepted_id = ""
        self._key_trouble = ""
        self._keys_shown = 0
        self._stale = False
        self._closed = False

    # -- what others ask ------------------------------------------------------------------------------

    @property
    def services(self) -> tuple[Service, ...]:
        """What is there for the user: without what is ignored."""
        prefs = store.preferences()
        return listing.visible(self.follower.view.services, store.ignored(prefs) if prefs else ())

    def selected(self, kind: str) -> Service | None:
        """Return the service that is used for a kind, or None if none was chosen or it is gone."""
        prefs = store.preferences()
        chosen = next((c for c in store.choices(prefs) if c.kind == kind), None) if prefs else None
        return found(chosen, self.follower.view.services) if chosen else None

    def active(self) -> Service | None:
        """Return the service of the active row."""
        prefs, ids = store.preferences(), self.rows.ids
        if prefs is None or not self.rows.fit(prefs) or not 0 <= prefs.active_index < len(ids):
            return None
        return self.follower.view.get(ids[prefs.active_index])

    def title(self, kind: str) -> str:
        """Return a kind's name for people."""
        known = find_kind(self.config.kinds, kind)
        return known.title if known else kind

    # -- what the user does ---------------------------------------------------------------------------

    def discover(self) -> None:
        """Search now: everything again, if a search runs already."""
        prefs = store.preferences()
        if prefs is None or self._closed:
            return
        self._begin(prefs)
        self._wanted = True
        self._apply_settings(prefs)
        self._stale |= self.follower.tick(time.time())  # it may have died since the last tick
        if self.follower.running and self.follower.view.phase is not Phase.FAILED:
            self.follower.rescan()
        else:
            self.follower.start(self.config)
        self.tick()

    def stop(self) -> None:
        """Stop searching. What is known stays, as last known."""
        self._wanted = False
        self.follower.stop()
        self.tick()

    def note_settings_changed(self) -> None:
        """Read the preferences again, once they have settled."""
        self._changed_at = time.monotonic()

    def apply_settings(self) -> None:
        """Read the preferences again now."""
        prefs = store.preferences()
        if prefs is not None:
            self._begin(prefs)
            self.note_settings_changed()
            self._apply_settings(prefs)
            self.tick()

    def select_when_seen(self, url: str) -> None:
        """Make the service that was written down with this URL the active one, as soon as it is there."""
        self._select = lambda service: is_at(service, url)

    def use(self, service: Service) -> None:
        """Use a service for its kind; one that is not trusted cannot be used."""
        if not untrusted(service):
            self._choose(lambda choices: with_choice(choices, choice_of(service)))

    def stop_using(self, kind: str) -> None:
        """Use nothing in particular for a kind."""
        self._choose(lambda choices: tuple(choice for choice in choices if choice.kind != kind))

    def key_changes(self, service: Service) -> tuple[KeyChange, ...]:
        """Return the new keys of a service that were refused. Looks whether two small files have changed."""
        return self.follower.key_changes(service)

    def accept_key(self, service: Service, key: str) -> None:
        """Trust a key that was refused. It is written in the background; the service is the active one then, too."""
        wanted = announced_id(service)
        self._accepted_id, self._key_trouble = service.id, ""
        self._accepting = self.follower.accept_key(service, key)
        self._select = lambda other: other.id == wanted

    def key_trouble(self, service: Service) -> str:
        """Return why the new key of a service could not be written down; empty if it was, or none was accepted."""
        return self._key_trouble if service.id == self._accepted_id else ""

    def _choose(self, change: Callable[[tuple[Choice, ...]], tuple[Choice, ...]]) -> None:
        prefs = store.preferences()
        if prefs is not None and store.write_choices(prefs, change(store.choices(prefs))):
            subscribers.tell(self.services)
            redraw()

    def filters_changed(self) -> None:
        """Tell those who asked that services were ignored, or no longer are."""
        subscribers.tell(self.services)
        redraw()

    # -- what time does -------------------------------------------------------------------------------

    def tick(self) -> None:
        """Take over what is new. Costs next to nothing when nothing is."""
        prefs = store.preferences()
        if prefs is None or self._closed:
            return
        self._begin(prefs)
        if self._changed_at is not None and time.monotonic() - self._changed_at >= _SETTLE_S:
            self._apply_settings(prefs)
        if not online.allowed():
            if self.follower.running:
                self.follower.stop()
        elif self._wanted and not self.follower.running:
            self.follower.start(self.config)
        self._stale |= self.follower.tick(time.time())
        if self._stale or not self.rows.fit(prefs):
            self._show(prefs)
            self._stale = False  # not before: what went wrong while it was shown is shown again
        self._watch_keys()

    def end(self) -> None:
        """End discovery, and wait for its threads. Whoever calls something afterwards starts nothing any more."""
        self._closed = True
        if not self.follower.stop(_END_S):
            log.warning("Discovery's thread has not ended in time; it ends with Blender at the latest.")

    def _begin(self, prefs: HybridiscoPreferences) -> None:
        """Take over what the former session left, once there are preferences."""
        if self._begun:
            return
        self._begun = True
        prefs.search, prefs.filter_kind, prefs.filter_status = "", listing.ANY, listing.ANY
        store.add_main_kinds(prefs)
        self.note_settings_changed()
        self._apply_settings(prefs)
        self.follower.remember(store.read_services(prefs))
        self._wanted = prefs.discover_at_start and not bpy.app.background

    def _apply_settings(self, prefs: HybridiscoPreferences) -> None:
        if self._changed_at is None:
            return
        self._changed_at = None
        now = store.stored(prefs)
        if now == self._stored:
            return
        before, self._stored = self._stored, now
        self.config, self.complaints = settings_of(now)
        if not prefs.filter_kind:  # the kind that it named is gone
            prefs.filter_kind = listing.ANY
        if self.follower.running:
            if before is not None and before.without_entries() == now.without_entries():
                self.follower.set_services(self.config.services)
            else:
                self.follower.start(self.config)
        redraw()

    def _show(self, prefs: HybridiscoPreferences) -> None:
        view = self.follower.view
        self.rows.write(prefs, view.services, view.last_known)
        if self._select is not None:
            new = next((service for service in view.services if self._select(service)), None)
            if new is not None:
                self.rows.activate(prefs, new.id)
                self._select = None
        store.write_choices(prefs, followed(store.choices(prefs), view.services))
        subscribers.tell(self.services)
        redraw()

    def _watch_keys(self) -> None:
        """Draw anew when a key of the active service is noted, or accepting one is done: no service changes by that."""
        active, accepting = self.active(), self._accepting
        number = len(self.key_changes(active)) if active is not None else 0
        done = accepting is not None and accepting.done()
        if accepting is not None and done:
            self._accepting, self._key_trouble = None, _why_not(accepting)
        if done or number != self._keys_shown:
            self._keys_shown = number
            redraw()


def _why_not(future: Future[None]) -> str:
    """Return why something in the background was not done, or an empty text."""
    if future.cancelled():
        return say("Discovery has ended by itself.")
    error = future.exception()
    return str(error) if error else ""


_session: Session | None = None
_trouble: str | None = None  # what went wrong in the last tick: it is told once, not four times a second


def current() -> Session:
    """Return the session: the last one, in which nothing happens any more, while the extension is disabled."""
    global _session
    if _session is None:
        _session = Session()
    return _session


def begin() -> None:
    """Begin a new session."""
    global _session
    _session = Session()


def end() -> None:
    """End the session, if there is one. Those who asked are told that nothing is known any more."""
    if _session is not None:
        _session.end()
        _session.follower.forget()
        subscribers.tell(())


def tick() -> float:
    """Called by Blender's timer; returns the seconds until the next call."""
    global _trouble
    try:
        current().tick()
        _trouble = None
    except Exception as error:  # whatever it is: Blender drops a timer that raises, and the panel would stand still
        level = logging.DEBUG if repr(error) == _trouble else logging.ERROR
        _trouble = repr(error)
        log.log(level, "The panel could not be brought up to date; it is tried again", exc_info=True)
    return TICK_S


def redraw() -> None:
    """Draw every sidebar and the preferences again."""
    manager = bpy.context.window_manager
    for window in manager.windows if manager else ():
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
