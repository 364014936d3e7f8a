"""Those who are told of changes: a face, a widget, a test."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from hybridisco.core.model import Event, Snapshot

log = logging.getLogger(__name__)

Subscriber = Callable[[tuple[Event, ...], Snapshot], None]


class Subscribers:
    """A list of subscribers, to be used from any thread.

    An error in one of them is logged, and reaches neither whoever made the change nor the others.
    """

    def __init__(self) -> None:
        self._all: tuple[Subscriber, ...] = ()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, subscriber: Subscriber) -> Callable[[], None]:
        """Tell ``subscriber`` too from now on; returns how to stop that, which may be called twice."""
        subscription = partial(subscriber)  # equal to nothing but itself: one may subscribe twice
        with self._lock:
            self._all += (subscription,)

        def remove() -> None:
            with self._lock:
                self._all = tuple(each for each in self._all if each is not subscription)

        return remove

    def tell(self, events: tuple[Event, ...], snapshot: Snapshot) -> None:
        """Call each of them."""
        for subscriber in self._all:
            try:
                subscriber(events, snapshot)
            except Exception:
                log.exception("A subscriber failed; it stays subscribed.")
