"""An add-on that sends its work to a ComfyUI, and lets Hybridisco tell where that is.

It works in whichever order the two are enabled, goes on when Hybridisco is disabled, enabled again or updated, and
never asks the network itself.
"""

from __future__ import annotations

import importlib

import bpy

_LOOK_EVERY_S = 1.0  # for Hybridisco, while it is not there

target = None  # the ComfyUI to use now, as Hybridisco tells; None while there is none
_unsubscribe = None


def hybridisco_api():
    """Return Hybridisco's API, or None while Hybridisco is not enabled."""
    for name in bpy.context.preferences.addons.keys():  # noqa: SIM118 - it is no dict
        if name.startswith("bl_ext.") and name.endswith(".hybridisco"):
            return importlib.import_module(f"{name}.api")
    return None


def _connect():
    """Called by a timer until Hybridisco is there: then subscribe, once."""
    global _unsubscribe
    api = hybridisco_api()
    if api is None:
        return _LOOK_EVERY_S
    _unsubscribe = api.subscribe(_changed)
    _changed(api.services())
    return None  # ends the timer


def _changed(services):
    """Called on the main thread whenever services come, go or change, and with () when Hybridisco is disabled."""
    global target
    api = hybridisco_api()
    comfyui = [service for service in services if service.kind == "comfyui" and service.usable]
    target = (api.selected("comfyui") if api and services else None) or next(iter(comfyui), None)


class USES_HYBRIDISCO_PT_target(bpy.types.Panel):
    """The ComfyUI that this add-on would send its work to"""

    bl_label = "ComfyUI Target"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Example"

    def draw(self, context):
        """Draw what is known; ask nothing."""
        if target is None:
            self.layout.label(text="No ComfyUI there.", icon="INFO")
            return
        self.layout.label(text=target.name, icon="CHECKMARK" if target.usable else "ERROR")
        self.layout.label(text=target.url)


def register():
    """Look for Hybridisco from now on."""
    bpy.utils.register_class(USES_HYBRIDISCO_PT_target)
    bpy.app.timers.register(_connect, first_interval=0.0, persistent=True)


def unregister():
    """End the subscription: it would outlive this add-on."""
    global _unsubscribe
    if bpy.app.timers.is_registered(_connect):
        bpy.app.timers.unregister(_connect)
    if _unsubscribe is not None:
        _unsubscribe()
        _unsubscribe = None
    bpy.utils.unregister_class(USES_HYBRIDISCO_PT_target)
