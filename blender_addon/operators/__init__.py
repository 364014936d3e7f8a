"""What buttons, menus, F3 search and scripts call. None of them waits for the network, unless a script asks it to."""

from __future__ import annotations

from . import discover, manual, service, settings

CLASSES = (*discover.CLASSES, *manual.CLASSES, *service.CLASSES, *settings.CLASSES)
