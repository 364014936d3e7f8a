"""Services that the user writes down."""

# Blender reads the annotations of properties: they must not be postponed by `from __future__ import annotations`.

from typing import TYPE_CHECKING

import bpy
from bpy.props import IntProperty, StringProperty

from hybridisco import HybridiscoError

from .. import online, session, store
from ..logic.settings import StoredEntry
from ..logic.words import say
from ..logic.written import made_by, new_entry
from .service import OnService

if TYPE_CHECKING:
    from ._done import Done


class HYBRIDISCO_OT_add_service(bpy.types.Operator):
    """Write a service down. It is checked at once and always shown, with the reason when it cannot be reached"""

    bl_idname = "hybridisco.add_service"
    bl_label = "Add AI Service"

    if TYPE_CHECKING:
        url: str
        kind: str
        title: str
    else:
        url: StringProperty(
            name="URL",
            description="Where it is: http://gpu-box:8188. Empty for what is typed in the panel",
            options={"SKIP_SAVE"},
        )
        kind: StringProperty(name="Kind", description="Such as comfyui; empty to find out", options={"SKIP_SAVE"})
        title: StringProperty(name="Name", description="What you call it; may be empty", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> "Done":
        """Add it, or say why not: in the panel where it was typed there, else as a report."""
        prefs = store.preferences()
        if prefs is None:
            return {"CANCELLED"}
        from_panel = not self.url
        entry = StoredEntry(self.url, self.kind, self.title)
        if from_panel:
            kind = "" if prefs.draft_kind in ("", "ANY") else prefs.draft_kind
            entry = StoredEntry(prefs.draft_url, kind, prefs.draft_title)
        now = session.current()
        now.apply_settings()
        try:
            made = new_entry(now.config, entry)
        except HybridiscoError as error:
            prefs.draft_message = str(error) if from_panel else ""
            self.report({"WARNING" if from_panel else "ERROR"}, str(error))
            return {"CANCELLED"}
        row = prefs.manual.add()
        row.url, row.kind, row.title = made.url, made.kind or "", made.name or ""
        prefs.draft_url = prefs.draft_title = prefs.draft_message = ""
        prefs.draft_kind = "ANY"
        store.mark_changed()
        now.select_when_seen(made.url)
        now.apply_settings()
        if not prefs.use_manual:
            self.report({"WARNING"}, say("Added, but manual entries are switched off in the preferences."))
        elif not online.allowed():
            self.report({"INFO"}, say("Added. It is checked as soon as Blender may use the network."))
        elif not now.follower.running:
            now.discover()
        return {"FINISHED"}


class HYBRIDISCO_OT_remove_service(OnService, bpy.types.Operator):
    """Remove what you wrote down about this service. If it is found in another way too, it stays in the list"""

    bl_idname = "hybridisco.remove_service"
    bl_label = "Remove AI Service"

    def execute(self, context: bpy.types.Context) -> "Done":
        """Remove its entries."""
        prefs, service = store.preferences(), self.service()
        if prefs is None or service is None:
            return {"CANCELLED"}
        gone = made_by(service, store.stored(prefs).entries)
        if not gone:
            self.report({"WARNING"}, say("You have not written this service down. Ignore hides it."))
            return {"CANCELLED"}
        for index in reversed(gone):
            prefs.manual.remove(index)
        store.mark_changed()
        session.current().apply_settings()
        return {"FINISHED"}


class HYBRIDISCO_OT_remove_entry(bpy.types.Operator):
    """Remove this entry"""

    bl_idname = "hybridisco.remove_entry"
    bl_label = "Remove Manual Service"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        index: int
    else:
        index: IntProperty(name="Row", description="The row of the entry", min=0, options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> "Done":
        """Remove one row."""
        prefs = store.preferences()
        if prefs is None or self.index >= len(prefs.manual):
            return {"CANCELLED"}
        prefs.manual.remove(self.index)
        store.mark_changed()
        session.current().apply_settings()
        return {"FINISHED"}


CLASSES = (HYBRIDISCO_OT_add_service, HYBRIDISCO_OT_remove_service, HYBRIDISCO_OT_remove_entry)
