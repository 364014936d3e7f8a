"""A submenu of the 3D viewport's View menu, so that F3 search finds everything and shortcuts can be assigned."""

from __future__ import annotations

from typing import Any

import bpy

from .drawing import button, layout_of


class HYBRIDISCO_MT_services(bpy.types.Menu):
    """Everything that can be done with AI services"""

    bl_idname = "HYBRIDISCO_MT_services"
    bl_label = "AI Services"

    def draw(self, context: bpy.types.Context | None) -> None:
        """Draw it."""
        layout = layout_of(self)
        button(layout, "movie_director.discover_services", icon="VIEWZOOM")
        button(layout, "hybridisco.stop_discovery", icon="PAUSE")
        layout.separator()
        button(layout, "hybridisco.use_service", icon="PINNED")
        button(layout, "hybridisco.stop_using", icon="UNPINNED")
        button(layout, "hybridisco.copy_url", icon="COPYDOWN")
        button(layout, "hybridisco.open_url", icon="URL")
        button(layout, "hybridisco.accept_key", icon="KEYINGSET")
        button(layout, "hybridisco.ignore_service", icon="HIDE_ON")
        button(layout, "hybridisco.remove_service", icon="X")
        layout.separator()
        button(layout, "hybridisco.show_all", icon="FILTER")
        button(layout, "hybridisco.show_preferences", icon="PREFERENCES")


def _entry(menu: Any, _: object) -> None:
    menu.layout.separator()
    menu.layout.menu(HYBRIDISCO_MT_services.bl_idname, icon="PLUGIN")


def add() -> None:
    """Put the submenu at the end of the View menu."""
    bpy.types.VIEW3D_MT_view.append(_entry)  # type: ignore[arg-type]


def remove() -> None:
    """Take it out again."""
    bpy.types.VIEW3D_MT_view.remove(_entry)  # type: ignore[arg-type]


CLASSES = (HYBRIDISCO_MT_services,)
