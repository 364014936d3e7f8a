"""The first panel: how the search goes, the list, and what to say when it is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import online, session, store
from ..drawing import button, label, layout_of, sentences
from ..logic.follower import Phase
from ..logic.headline import headline
from ..logic.listing import listed
from ..logic.nothing import reasons, tried
from ..logic.trust import count_untrusted
from ..logic.undecided import undecided
from ..logic.words import say
from ._tab import MAIN, InTab
from .service_list import HYBRIDISCO_UL_services

if TYPE_CHECKING:
    from ..preferences import HybridiscoPreferences

_ROWS = (3, 8)  # the list's height: as many rows as there are, within these
_PHASE_ICONS = {
    Phase.OFF: "RADIOBUT_OFF",
    Phase.SEARCHING: "SORTTIME",
    Phase.FOLLOWING: "RADIOBUT_ON",
    Phase.FAILED: "ERROR",
}


class HYBRIDISCO_PT_services(InTab, bpy.types.Panel):
    """The AI backends of this machine and the LAN"""

    bl_idname = MAIN
    bl_label = "AI Services"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Draw the way to the preferences at the end of the title."""
        button(layout_of(self), "hybridisco.show_preferences", "", "PREFERENCES", emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it from what is known; nothing is asked for here."""
        prefs, now, layout = store.preferences(), session.current(), layout_of(self)
        if prefs is None:
            return
        if not online.allowed():
            _offline(layout, context)
        visible = now.services
        view = now.follower.view
        row = layout.row(align=True)
        bad = count_untrusted(visible)
        told = row.row()
        told.alert = bad > 0
        label(told, headline(view, len(visible), bad), _PHASE_ICONS[view.phase])
        if now.follower.running:
            button(row, "hybridisco.stop_discovery", "", "PAUSE", emboss=False)
        row = layout.row()
        row.scale_y = 1.2
        button(row, "movie_director.discover_services", say("Discover"), "VIEWZOOM")
        if view.error:
            sentences(layout.box(), context, view.error, icon="ERROR", alert=True, boxed=True)
        for warning in view.snapshot.warnings:
            sentences(layout.box(), context, warning, icon="ERROR", boxed=True)
        if visible:
            _list(layout, prefs, len(visible))
            _hidden(layout, len(visible) - len(listed(visible, store.wanted(prefs))))
        elif view.phase is Phase.FOLLOWING:
            _nothing(layout, context)
        for line in undecided(view.services, store.ignored(prefs)):
            sentences(layout, context, line, icon="QUESTION")


def _offline(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    box = layout.box()
    sentences(box, context, online.why_not(), icon="INTERNET_OFFLINE", boxed=True)
    if not bpy.app.online_access_override:
        button(box, "extensions.userpref_allow_online", say("Allow Online Access"), "CHECKMARK")


def _list(layout: bpy.types.UILayout, prefs: HybridiscoPreferences, number: int) -> None:
    row = layout.row(align=True)
    row.prop(prefs, "search", text="", icon="VIEWZOOM", placeholder=say("Search"))
    row.prop(prefs, "filter_kind", text="", icon_only=True, icon="NONE")
    row.prop(prefs, "filter_status", text="", icon_only=True)
    row.prop(prefs, "sort_by", text="", icon_only=True)
    row.prop(prefs, "sort_reverse", text="", icon="SORT_DESC" if prefs.sort_reverse else "SORT_ASC")
    low, high = _ROWS
    rows = min(max(number, low), high)
    layout.template_list(
        HYBRIDISCO_UL_services.bl_idname, "", prefs, "discovered", prefs, "active_index", rows=rows, maxrows=high
    )


def _hidden(layout: bpy.types.UILayout, number: int) -> None:
    if number > 0:
        row = layout.row()
        label(row, say("{number} hidden by filters", number=number))
        button(row, "hybridisco.show_all", say("Show All"), "X")


def _nothing(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    now = session.current()
    config, snapshot = now.follower.config or now.config, now.follower.view.snapshot
    column = layout.column()
    label(column, say("Tried"))
    for place in tried(config, snapshot):
        sentences(column, context, place, icon="DOT")
    column.separator()
    label(column, say("Likely reasons"))
    for reason in reasons(config, snapshot):
        box = layout.box().column()
        sentences(box, context, reason.why, icon="INFO", boxed=True)
        sentences(box, context, reason.do, icon="FORWARD", boxed=True)


CLASSES = (HYBRIDISCO_PT_services,)
