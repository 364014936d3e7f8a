"""The list of services: what a row looks like, which rows there are, and their order."""

from __future__ import annotations

import bpy

from .. import session, store
from ..drawing import label
from ..logic.icons import kind_icon, status_icon
from ..logic.listing import listed
from ..logic.trust import untrusted


class HYBRIDISCO_UL_services(bpy.types.UIList):
    """One service a row: its status, its name, its kind"""

    bl_idname = "HYBRIDISCO_UL_services"

    def draw_item(  # type: ignore[override]
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: object,
        item: bpy.types.PropertyGroup,
        icon: int,
        active_data: object,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        """Draw a row."""
        view = session.current().follower.view
        service = view.get(item.service_id)  # type: ignore[attr-defined]
        if service is None:  # from before the first tick
            label(layout, item.title, "RECOVER_LAST")  # type: ignore[attr-defined]
            return
        last_known = service.id in view.last_known
        row = layout.row(align=True)
        is_active = index == getattr(active_data, active_property or "", None)  # grey or red on blue is no text
        row.alert = untrusted(service) and not is_active
        row.active = service.alive or row.alert or is_active
        label(row, service.name, status_icon(service, last_known=last_known))
        chosen = store.preferences()
        if chosen and any(choice.service_id == service.id for choice in store.choices(chosen)):
            label(row, icon="PINNED")
        label(row, icon=kind_icon(service.kind, service.capabilities))

    def draw_filter(self, context: bpy.types.Context | None, layout: bpy.types.UILayout) -> None:
        """Draw nothing: search, filters and order stand above the list, where they are seen."""

    def filter_items(  # type: ignore[override]
        self, context: bpy.types.Context, data: object, property: str
    ) -> tuple[list[int], list[int]]:
        """Return which rows are shown, and where."""
        prefs, now = store.preferences(), session.current()
        if prefs is None or not now.rows.fit(prefs):
            return [], []
        order = [service.id for service in listed(now.follower.view.services, store.wanted(prefs))]
        places = {service_id: place for place, service_id in enumerate(order)}
        ids = now.rows.ids
        flags = [self.bitflag_filter_item if service_id in places else 0 for service_id in ids]
        hidden = iter(range(len(order), len(ids)))
        return flags, [places[service_id] if service_id in places else next(hidden) for service_id in ids]


CLASSES = (HYBRIDISCO_UL_services,)
