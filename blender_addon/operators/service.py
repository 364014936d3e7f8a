"""What can be done with one service."""

# Blender reads the annotations of properties: they must not be postponed by `from __future__ import annotations`.

import time
import webbrowser
from typing import TYPE_CHECKING

import bpy
from bpy.props import StringProperty

from hybridisco import Service

from .. import session, store
from ..drawing import label, layout_of
from ..logic.icons import status_icon
from ..logic.new_key import question
from ..logic.trust import KeyChange, count_untrusted, untrusted
from ..logic.words import say

if TYPE_CHECKING:
    from ._done import Done


class OnService:
    """An operator about one service: the one with ``service_id``, or that of the active row."""

    if TYPE_CHECKING:
        service_id: str
    else:
        service_id: StringProperty(
            name="Service",
            description="The id of the service; empty for the one that is active in the panel",
            options={"SKIP_SAVE"},
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is a service."""
        return bool(session.current().follower.view.services)

    def service(self) -> Service | None:
        """Return the service that is meant, or None after saying that there is none."""
        now = session.current()
        found = now.follower.view.get(self.service_id) if self.service_id else now.active()
        if found is None:
            text = say("This service is not there any more. Choose one in the list.")
            self.report({"WARNING"}, text)  # type: ignore[attr-defined]
        return found


class HYBRIDISCO_OT_copy_url(OnService, bpy.types.Operator):
    """Copy the address of this service to the clipboard"""

    bl_idname = "hybridisco.copy_url"
    bl_label = "Copy URL of AI Service"

    def execute(self, context: bpy.types.Context) -> "Done":
        """Copy it."""
        service = self.service()
        if service is None:
            return {"CANCELLED"}
        if context.window_manager is not None:
            context.window_manager.clipboard = service.url
        self.report({"INFO"}, say("Copied {url}", url=service.url))
        return {"FINISHED"}


class HYBRIDISCO_OT_open_url(OnService, bpy.types.Operator):
    """Open the page of this service in your web browser"""

    bl_idname = "hybridisco.open_url"
    bl_label = "Open AI Service in Browser"

    def execute(self, context: bpy.types.Context) -> "Done":
        """Open it."""
        service = self.service()
        if service is None or not webbrowser.open(service.url):
            return {"CANCELLED"}
        return {"FINISHED"}


class HYBRIDISCO_OT_accept_key(OnService, bpy.types.Operator):
    """Trust the new key of this service. Both keys are shown before, for you to compare"""

    bl_idname = "hybridisco.accept_key"
    bl_label = "Accept New Key of AI Service"

    if TYPE_CHECKING:
        key: str
    else:
        key: StringProperty(
            name="Key", description="The new key in base64; empty for the one that was refused", options={"SKIP_SAVE"}
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where a service is not trusted."""
        return count_untrusted(session.current().follower.view.services) > 0

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "Done":
        """Show both keys, and ask."""
        service = self.service()
        change = self._change(service) if service else None
        if service is None or change is None or context.window_manager is None:
            return {"CANCELLED"}
        # What was shown is what is accepted, whatever is active or announced by then.
        self.service_id, self.key = service.id, change.key
        return context.window_manager.invoke_props_dialog(
            self, width=480, title=say("Accept the New Key?"), confirm_text=say("Accept"), cancel_default=True
        )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the question."""
        service = session.current().follower.view.get(self.service_id)
        changes = session.current().key_changes(service) if service else ()
        layout = layout_of(self)
        if service is not None:
            label(layout, service.name, status_icon(service))
        for fact in [fact for each in changes if each.key == self.key for fact in question(each, time.time())]:
            box = layout.box().column()
            label(box, fact.heading)
            for line in fact.lines:
                label(box, line)

    def execute(self, context: bpy.types.Context) -> "Done":
        """Accept it."""
        service = self.service()
        change = self._change(service) if service else None
        if service is None or change is None:
            return {"CANCELLED"}
        session.current().accept_key(service, change.key)
        self.report({"INFO"}, say("The new key of {name} is written down; it counts in a moment.", name=service.name))
        return {"FINISHED"}

    def _change(self, service: Service) -> KeyChange | None:
        """Return the key that is meant, or None after saying why there is none."""
        found = [each for each in session.current().key_changes(service) if self.key in ("", each.key)]
        if len(found) == 1:
            return found[0]
        if found:
            text = say("Several new keys of it were refused. “hybridisco trust accept” in a terminal shows them all.")
        else:
            text = say("No new key of this service was refused, so there is none to accept.")
        self.report({"WARNING"}, text)
        return None


class HYBRIDISCO_OT_use_service(OnService, bpy.types.Operator):
    """Use this service for its kind: other add-ons then ask for it, also after its address has changed"""

    bl_idname = "hybridisco.use_service"
    bl_label = "Use AI Service"

    def execute(self, context: bpy.types.Context) -> "Done":
        """Choose it."""
        service = self.service()
        if service is None:
            return {"CANCELLED"}
        if untrusted(service):
            self.report({"WARNING"}, say("It is not trusted, so it cannot be used. Its details say why."))
            return {"CANCELLED"}
        session.current().use(service)
        return {"FINISHED"}


class HYBRIDISCO_OT_stop_using(bpy.types.Operator):
    """Choose no particular service for this kind any more"""

    bl_idname = "hybridisco.stop_using"
    bl_label = "Stop Using AI Service"

    if TYPE_CHECKING:
        kind: str
    else:
        kind: StringProperty(name="Kind", description="The kind that the service is used for", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> "Done":
        """Forget the choice."""
        active = session.current().active()
        kind = self.kind or (active.kind if active else "")
        session.current().stop_using(kind)
        return {"FINISHED"}


class HYBRIDISCO_OT_ignore_service(OnService, bpy.types.Operator):
    """Keep this service out of the list. The preferences show it again"""

    bl_idname = "hybridisco.ignore_service"
    bl_label = "Ignore AI Service"

    def execute(self, context: bpy.types.Context) -> "Done":
        """Ignore it."""
        prefs, service = store.preferences(), self.service()
        if prefs is None or service is None:
            return {"CANCELLED"}
        if service.id not in store.ignored(prefs):
            row = prefs.ignored.add()
            row.name, row.service_id, row.title = service.name, service.id, service.name
            store.mark_changed()
        session.current().filters_changed()
        self.report({"INFO"}, say("{name} is ignored. The preferences show it again.", name=service.name))
        return {"FINISHED"}


class HYBRIDISCO_OT_unignore_service(bpy.types.Operator):
    """Show this service again"""

    bl_idname = "hybridisco.unignore_service"
    bl_label = "Show Again"

    if TYPE_CHECKING:
        service_id: str
    else:
        service_id: StringProperty(name="Service", description="The id of the service", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> "Done":
        """Ignore it no longer."""
        prefs = store.preferences()
        rows = [i for i, row in enumerate(prefs.ignored) if row.service_id == self.service_id] if prefs else []
        if prefs is None or not rows:
            return {"CANCELLED"}
        for index in reversed(rows):
            prefs.ignored.remove(index)
        store.mark_changed()
        session.current().filters_changed()
        return {"FINISHED"}


CLASSES = (
    HYBRIDISCO_OT_copy_url,
    HYBRIDISCO_OT_open_url,
    HYBRIDISCO_OT_accept_key,
    HYBRIDISCO_OT_use_service,
    HYBRIDISCO_OT_stop_using,
    HYBRIDISCO_OT_ignore_service,
    HYBRIDISCO_OT_unignore_service,
)
