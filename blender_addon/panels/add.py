"""The last panel: writing a service down."""

from __future__ import annotations

import bpy

from .. import store
from ..drawing import button, layout_of, sentences
from ..logic.words import say
from ._tab import MAIN, InTab


class HYBRIDISCO_PT_add(InTab, bpy.types.Panel):
    """Write down a service that is not found by itself"""

    bl_idname = "HYBRIDISCO_PT_add"
    bl_label = "Add Manually"
    bl_parent_id = MAIN
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the form; what was wrong with it stands below."""
        prefs = store.preferences()
        if prefs is None:
            return
        column = layout_of(self).column(align=True)
        column.prop(prefs, "draft_url", text="", icon="URL", placeholder="http://gpu-box:8188")
        column.prop(prefs, "draft_kind", text="")
        column.prop(prefs, "draft_title", text="", icon="FONT_DATA", placeholder=say("Name (optional)"))
        if prefs.draft_message:
            sentences(layout_of(self), context, prefs.draft_message, icon="ERROR", alert=True)
        button(layout_of(self), "hybridisco.add_service", say("Add"), "ADD")


CLASSES = (HYBRIDISCO_PT_add,)
