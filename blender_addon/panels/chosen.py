"""The third panel: which service is used for each kind, with a clear mark where it is gone."""

from __future__ import annotations

import bpy

from .. import session, store
from ..drawing import button, label, layout_of, sentences
from ..logic.choices import found, impostor
from ..logic.icons import status_icon
from ..logic.words import say
from ._tab import MAIN, InTab


class HYBRIDISCO_PT_chosen(InTab, bpy.types.Panel):
    """The services that other add-ons use, one for each kind"""

    bl_idname = "HYBRIDISCO_PT_chosen"
    bl_label = "In Use"
    bl_parent_id = MAIN

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only once something was chosen."""
        prefs = store.preferences()
        return prefs is not None and len(prefs.chosen) > 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw a row for each kind."""
        prefs, now = store.preferences(), session.current()
        view = now.follower.view
        for choice in store.choices(prefs) if prefs else ():
            service = found(choice, view.services)
            column = layout_of(self).column(align=True)
            row = column.row(align=True)
            row.alert = service is None
            liar = impostor(choice, view.services)
            shown = service or liar
            icon = "UNLINKED" if shown is None else status_icon(shown, last_known=shown.id in view.last_known)
            kind = now.title(choice.kind)
            label(row, choice.title if kind in choice.title else f"{kind}: {choice.title}", icon)
            button(row, "hybridisco.stop_using", "", "X", emboss=False, kind=choice.kind)
            if liar is not None:
                text = say("It is not trusted now, so nothing is used. Its details say why.")
                sentences(column, context, text, icon="BLANK1", alert=True)
            elif service is None:
                text = say("It is gone; it was at {url}. Choose another one, or wait for it to return.", url=choice.url)
                sentences(column, context, text, icon="BLANK1", alert=True)


CLASSES = (HYBRIDISCO_PT_chosen,)
