"""The tab "Hybridisco" in the sidebar of the 3D viewport."""

from __future__ import annotations

from . import add, chosen, details, service_list, services

CLASSES = (*service_list.CLASSES, *services.CLASSES, *details.CLASSES, *chosen.CLASSES, *add.CLASSES)
