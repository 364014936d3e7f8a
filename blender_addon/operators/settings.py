"""The way to the preferences, and their rows of kinds."""

# Blender reads the annotations of properties: they must not be postponed by `from __future__ import annotations`.

from typing import TYPE_CHECKING

import bpy
from bpy.props import IntProperty

from .. import session, store
from ..logic import listing

if TYPE_CHECKING:
    from ._done import Done


class HYBRIDISCO_OT_show_preferences(bpy.types.Operator):
    """Open the preferences of Hybridisco: hosts, ports, manual and ignored services"""

    bl_idname = "hybridisco.show_preferences"
    bl_label = "AI Services Preferences"

    def execute(self, context: bpy.types.Context) -> "Done":
        """Open them."""
        bpy.ops.preferences.addon_show(module=(__package__ or "").rpartition(".")[0])
        return {"FINISHED"}


class HYBRIDISCO_OT_show_all(bpy.types.Operator):
    """Clear the search and the filters of the list"""

    bl_idname = "hybridisco.show_all"
    bl_label = "Show All AI Services"

    def execute(self, context: bpy.types.Context) -> "Done":
        """Clear them."""
        prefs = store.preferences()
        if prefs is None:
            return {"CANCELLED"}
        prefs.search, prefs.filter_kind, prefs.filter_status = "", listing.ANY, listing.ANY
        return {"FINISHED"}


class HYBRIDISCO_OT_add_kind(bpy.types.Operator):
    """Add a kind of backend of your own, and say how it is recognised"""

    bl_idname = "hybridisco.add_kind"
    bl_label = "Add a Kind"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> "Done":
        """Add a row."""
        prefs = store.preferences()
        if prefs is None:
            return {"CANCELLED"}
        row = prefs.kinds.add()
        row.is_custom, row.kind_id, row.title, row.proof_path = True, "my-backend", "My Backend", "/"
        store.mark_changed()
        return {"FINISHED"}


class HYBRIDISCO_OT_remove_kind(bpy.types.Operator):
    """Remove this kind"""

    bl_idname = "hybridisco.remove_kind"
    bl_label = "Remove Kind"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        index: int
    else:
        index: IntProperty(name="Row", description="The row of the kind", min=0, options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> "Done":
        """Remove one row; the five main kinds stay."""
        prefs = store.preferences()
        if prefs is None or self.index >= len(prefs.kinds) or not prefs.kinds[self.index].is_custom:
            return {"CANCELLED"}
        prefs.kinds.remove(self.index)
        store.mark_changed()
        session.current().apply_settings()
        return {"FINISHED"}


CLASSES = (
    HYBRIDISCO_OT_show_preferences,
    HYBRIDISCO_OT_show_all,
    HYBRIDISCO_OT_add_kind,
    HYBRIDISCO_OT_remove_kind,
)
