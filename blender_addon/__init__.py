"""Hybridisco in Blender: the AI backends of this machine and the LAN, in a panel that never blocks.

====================  =====================================================================
:mod:`.api`           for other add-ons: services(), selected(), subscribe()
:mod:`.session`       the one place where all is wired: preferences, discovery, rows, redraws
:mod:`.store`         Blender's properties as plain values, and back
:mod:`.properties`    the properties themselves; :mod:`.preferences` shows them
:mod:`.panels`        the sidebar tab
:mod:`.operators`     what buttons, menus and scripts call
:mod:`.logic`         everything that needs no Blender
====================  =====================================================================

Nothing is imported here but what registering needs, and no network library before discovery's own thread does.
"""

from __future__ import annotations


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when it is disabled: leaves no thread, timer, class or property behind."""
    from . import registration

    registration.unregister()
