"""What is registered with Blender, and in which order."""

from __future__ import annotations

import bpy

from . import menu, operators, panels, preferences, properties, session, translations
from .logic import words

_CLASSES = (*properties.CLASSES, *preferences.CLASSES, *operators.CLASSES, *panels.CLASSES, *menu.CLASSES)


def register() -> None:
    """Register every class; discovery begins with the first tick of the timer, after Blender has started."""
    bpy.app.translations.register(__package__ or "", translations.TABLE)
    words.use(lambda text: bpy.app.translations.pgettext_iface(text, translations.SAID))
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    menu.add()
    session.begin()
    # Persistent: opening another file would end it. It is no thread: it runs between two redraws.
    bpy.app.timers.register(session.tick, first_interval=session.TICK_S, persistent=True)


def unregister() -> None:
    """Undo it all, last things first."""
    if bpy.app.timers.is_registered(session.tick):
        bpy.app.timers.unregister(session.tick)
    session.end()
    menu.remove()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    words.use(None)
    bpy.app.translations.unregister(__package__ or "")
