"""Other add-ons that want to be told of changes.

They are kept at the module of the extension's repository (``bl_ext.user_default``), which stays in place when Blender
drops this extension's own modules to update it: who has subscribed once is told for as long as Blender runs.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from functools import partial

from hybridisco import Service

log = logging.getLogger(__name__)

Callback = Callable[[tuple[Service, ...]], object]

_NAME = "hybridisco_subscribers"
_ROUNDS = 8  # changes that the subscribers themselves make; more would go on for ever

_news: list[tuple[Service, ...]] = []
_telling = False


def _all() -> list[partial[object]]:
    home = importlib.import_module((__package__ or "").rpartition(".")[0] or __package__ or "")
    if not hasattr(home, _NAME):
        setattr(home, _NAME, [])
    subscribed: list[partial[object]] = getattr(home, _NAME)
    return subscribed


def add(callback: Callback) -> Callable[[], None]:
    """Tell ``callback`` of changes from now on; returns how to stop that, which may be called twice."""
    subscription = partial(callback)  # equal to nothing but itself: one may subscribe twice
    _all().append(subscription)

    def remove() -> None:
        for index, each in enumerate(_all()):
            if each is subscription:
                del _all()[index]
                return

    return remove


def tell(services: tuple[Service, ...]) -> None:
    """Call each of them. An error in one is logged, and reaches nobody else.

    One that changes something itself is not called anew in the middle: when all have been told, all are told of that,
    so that the last thing that each one hears is what holds.
    """
    global _telling
    _news.append(services)
    if _telling:
        return
    _telling = True
    try:
        for _ in range(_ROUNDS):
            if not _news:
                return
            latest = _news[-1]
            _news.clear()
            for subscription in tuple(_all()):
                _call(subscription, latest)
        _news.clear()
        log.warning("An add-on answers every change with another one; it is told of the next change only")
    finally:
        _telling = False


def _call(subscription: partial[object], services: tuple[Service, ...]) -> None:
    try:
        subscription(services)
    except (Exception, SystemExit):  # whatever somebody else's code does, the extension goes on
        log.exception("An add-on that asked for changes failed; it stays subscribed")
