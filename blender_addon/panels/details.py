"""The second panel: everything about the active service, and what can be done with it."""

from __future__ import annotations

import time

import bpy

from hybridisco import Service, SourceName, Status

from .. import session, store
from ..drawing import button, label, layout_of, sentences
from ..logic.details import UNKNOWN, details
from ..logic.icons import status_icon
from ..logic.listing import listed
from ..logic.trust import untrusted
from ..logic.words import say
from ._tab import MAIN, InTab

_LABEL = 0.32  # of the width, for what a line is about


class HYBRIDISCO_PT_details(InTab, bpy.types.Panel):
    """What is known of the active service"""

    bl_idname = "HYBRIDISCO_PT_details"
    bl_label = "Service"
    bl_parent_id = MAIN

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with an active service that is shown."""
        return _shown() is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        service, now = _shown(), session.current()
        if service is None:
            return
        layout = layout_of(self)
        last_known = service.id in now.follower.view.last_known
        sentences(layout, context, service.name, icon=status_icon(service, last_known=last_known))
        if service.problem:
            sentences(
                layout.box(),
                context,
                service.problem,
                icon="ERROR" if untrusted(service) else "INFO",
                alert=not service.alive and service.status is not Status.STALE,
                boxed=True,
            )
        if untrusted(service):
            _accept(layout, context, service, now)
        elif service.kind != UNKNOWN:
            _use(layout, service, now)
        row = layout.row(align=True)
        row.enabled = not untrusted(service)
        button(row, "hybridisco.copy_url", say("Copy URL"), "COPYDOWN", service_id=service.id)
        button(row, "hybridisco.open_url", say("Open"), "URL", service_id=service.id)
        column = layout.column(align=True)
        for line in details(service, now.title, time.time(), last_known=last_known):
            split = column.split(factor=_LABEL)
            about = split.column()
            about.scale_y = 0.8
            about.active = False
            label(about, line.label)
            sentences(split, context, line.value, share=1 - _LABEL)
        row = layout.row(align=True)
        if SourceName.MANUAL in service.sources:
            button(row, "hybridisco.remove_service", say("Remove"), "X", service_id=service.id)
        button(row, "hybridisco.ignore_service", say("Ignore"), "HIDE_ON", service_id=service.id)


def _shown() -> Service | None:
    """Return the active service, unless it is one that the user does not see."""
    prefs, service = store.preferences(), session.current().active()
    return service if prefs and service and listed([service], store.wanted(prefs)) else None


def _accept(layout: bpy.types.UILayout, context: bpy.types.Context, service: Service, now: session.Session) -> None:
    """Draw the button that accepts a new key, if one was refused."""
    if now.key_changes(service):
        row = layout.row()
        row.scale_y = 1.2
        button(row, "hybridisco.accept_key", say("Accept the New Key…"), "KEYINGSET", service_id=service.id)
    if trouble := now.key_trouble(service):
        sentences(layout.box(), context, trouble, icon="ERROR", alert=True, boxed=True)


def _use(layout: bpy.types.UILayout, service: Service, now: session.Session) -> None:
    """Draw the button that chooses the service for its kind, or takes that back."""
    title, prefs = now.title(service.kind), store.preferences()
    used = prefs is not None and any(choice.service_id == service.id for choice in store.choices(prefs))
    row = layout.row()
    row.scale_y = 1.2
    if used:
        text = say("Used for {kind}", kind=title)
        button(row, "hybridisco.stop_using", text, "PINNED", depress=True, kind=service.kind)
    else:
        text = say("Use for {kind}", kind=title)
        button(row, "hybridisco.use_service", text, "UNPINNED", service_id=service.id)


CLASSES = (HYBRIDISCO_PT_details,)
