"""Begin to search, search again, stop."""

# Blender reads the annotations of properties: they must not be postponed by `from __future__ import annotations`.

import time
from typing import TYPE_CHECKING

import bpy
from bpy.props import FloatProperty

from .. import online, session
from ..logic.follower import Phase
from ..logic.words import say

if TYPE_CHECKING:
    from ._done import Done

_LOOK_S = 0.02


class MOVIE_DIRECTOR_OT_discover_services(bpy.types.Operator):
    """Look for AI backends now: announced on your networks, on this machine, and where you wrote them down"""

    bl_idname = "movie_director.discover_services"
    bl_label = "Discover AI Services"
    bl_options = {"REGISTER"}

    if TYPE_CHECKING:
        wait_s: float
    else:
        wait_s: FloatProperty(
            name="Wait",
            description="For scripts: return when the search is complete, or after so many seconds. Blender is blocked "
            "until then. With 0 it returns at once, and the panel follows",
            default=0.0,
            min=0.0,
            max=600.0,
            options={"SKIP_SAVE"},
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with the user's leave to use the network."""
        if online.allowed():
            return True
        cls.poll_message_set(online.why_not())
        return False

    def execute(self, context: bpy.types.Context) -> "Done":
        """Search."""
        now = session.current()
        now.discover()
        if self.wait_s > 0:
            end = time.monotonic() + self.wait_s
            while now.follower.view.phase is Phase.SEARCHING and time.monotonic() < end:
                time.sleep(_LOOK_S)
                now.tick()
            self.report({"INFO"}, say("{count} AI services", count=len(now.services)))
        return {"FINISHED"}


class HYBRIDISCO_OT_stop_discovery(bpy.types.Operator):
    """Stop looking for AI backends. What was found stays in the list, marked as last known"""

    bl_idname = "hybridisco.stop_discovery"
    bl_label = "Pause Discovering AI Services"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while a search runs."""
        return session.current().follower.running

    def execute(self, context: bpy.types.Context) -> "Done":
        """Stop."""
        session.current().stop()
        return {"FINISHED"}


CLASSES = (MOVIE_DIRECTOR_OT_discover_services, HYBRIDISCO_OT_stop_discovery)
