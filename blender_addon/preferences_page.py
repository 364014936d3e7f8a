"""The page of the extension in Blender's preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from . import online, session
from .drawing import button, label, sentences
from .logic.icons import kind_icon
from .logic.settings import Complaint
from .logic.words import say

if TYPE_CHECKING:
    from .preferences import HybridiscoPreferences

_PAGE = 0.9  # of the region's width: the page is inset


def draw_page(prefs: HybridiscoPreferences, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw everything that can be set."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    if not online.allowed():
        sentences(layout.box(), context, online.why_not(), icon="INTERNET_OFFLINE", share=_PAGE, boxed=True)
    _search(prefs, layout, context)
    for draw, identifier, title in (
        (_kinds, "hybridisco_kinds", say("Kinds and Their Ports")),
        (_manual, "hybridisco_manual", say("Manual Services ({number})", number=len(prefs.manual))),
        (_ignored, "hybridisco_ignored", say("Ignored Services ({number})", number=len(prefs.ignored))),
    ):
        header, body = layout.panel(identifier, default_closed=identifier != "hybridisco_kinds")
        label(header, title)
        if body is not None:
            draw(prefs, body, context)


def _search(prefs: HybridiscoPreferences, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    row = layout.row(heading="Search by", align=True)
    row.prop(prefs, "use_mdns", toggle=True)
    row.prop(prefs, "use_probe", toggle=True)
    row.prop(prefs, "use_manual", toggle=True)
    layout.prop(prefs, "discover_at_start")
    column = layout.column()
    for name in ("hosts", "ports"):
        column.prop(prefs, name)
        _complain(column, context, name)
    column = layout.column(align=True)
    for name in ("rescan_s", "probe_timeout_s", "timeout_s"):
        column.prop(prefs, name)
        _complain(column, context, name)


def _kinds(prefs: HybridiscoPreferences, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    kinds = {kind.id: kind for kind in session.current().config.kinds}
    for index, row in enumerate(prefs.kinds):
        kind = kinds.get(row.kind_id)
        box = layout.box() if row.is_custom else layout.column()
        line = box.row(align=True)
        usual = ", ".join(str(port) for port in kind.ports) if kind and not row.ports else ""
        line.prop(row, "ports", text=kind.title if kind else row.title or row.kind_id, placeholder=usual)
        label(line, icon=kind_icon(row.kind_id, kind.capabilities if kind else ()))
        if row.is_custom:
            button(line, "hybridisco.remove_kind", "", "X", index=index)
            column = box.column(align=True)
            for name in ("kind_id", "title", "proof_path", "proof_has", "proof_body"):
                column.prop(row, name)
        _complain(box, context, "kinds", index)
    button(layout, "hybridisco.add_kind", icon="ADD")


def _manual(prefs: HybridiscoPreferences, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    for index, row in enumerate(prefs.manual):
        line = layout.row(align=True)
        line.use_property_split = False
        line.prop(row, "url", text="")
        line.prop(row, "kind", text="", placeholder=say("kind"))
        line.prop(row, "title", text="", placeholder=say("name"))
        button(line, "hybridisco.remove_entry", "", "X", index=index)
        _complain(layout, context, "manual", index)
    if not prefs.manual:
        label(layout, say("None yet. Add one in the sidebar of the 3D viewport, tab Hybridisco."))


def _ignored(prefs: HybridiscoPreferences, layout: bpy.types.UILayout, _: bpy.types.Context) -> None:
    for row in prefs.ignored:
        line = layout.row()
        label(line, row.title or row.service_id)
        button(line, "hybridisco.unignore_service", icon="HIDE_OFF", service_id=row.service_id)
    if not prefs.ignored:
        label(layout, say("None."))


def _complain(layout: bpy.types.UILayout, context: bpy.types.Context, place: str, index: int | None = None) -> None:
    """Say below a setting what is wrong with it."""
    for complaint in session.current().complaints:
        if (complaint.place, complaint.index) == (place, index):
            _said(layout, context, complaint)


def _said(layout: bpy.types.UILayout, context: bpy.types.Context, complaint: Complaint) -> None:
    row = layout.row()
    row.separator(factor=2)
    sentences(row, context, complaint.message, icon="ERROR", alert=True, share=_PAGE)
