"""Whether the extension may use the network: Blender asks its user, and localhost and the LAN count as network use."""

from __future__ import annotations

import bpy

from .logic.words import say


def allowed() -> bool:
    """Whether Blender's user allows network access now."""
    return bool(bpy.app.online_access)


def why_not() -> str:
    """Return what to tell a user who does not allow it."""
    if bpy.app.online_access_override:
        return say("Blender was started with --offline-mode. Start it without, to look for backends.")
    return say(
        "Blender may not use the network. Allow it in Preferences › System › Network: Allow Online Access. "
        "Hybridisco looks at this machine and your LAN only."
    )
