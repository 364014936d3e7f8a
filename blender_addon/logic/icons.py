"""What a status and a kind look like: names of Blender's own icons, told apart by shape and not by colour alone."""

from __future__ import annotations

from hybridisco import Service, Status

#: All of these are in Blender 4.2 and newer; a test with real Blender sees to it.
STATUS_ICONS: dict[Status, str] = {
    Status.ONLINE: "CHECKMARK",
    Status.BUSY: "TIME",
    Status.STARTING: "SORTTIME",
    Status.LOCKED: "LOCKED",
    Status.STALE: "QUESTION",
    Status.MISMATCH: "ERROR",
    Status.UNREACHABLE: "CANCEL",
    Status.UNTRUSTED: "GHOST_ENABLED",  # somebody who may not be who he says
}

_KIND_ICONS = {
    "comfyui": "NODETREE",
    "wan2gp": "RENDER_ANIMATION",
    "litellm": "CONSOLE",
    "rvc": "OUTLINER_OB_SPEAKER",
    "audioldm": "SOUND",
    "http": "URL",
}
_CAPABILITY_ICONS = {
    "image": "IMAGE_DATA",
    "video": "FILE_MOVIE",
    "audio": "SOUND",
    "voice": "OUTLINER_OB_SPEAKER",
    "text": "CONSOLE",
}
_OTHER_KIND = "PLUGIN"


def status_icon(service: Service, *, last_known: bool = False) -> str:
    """Return the icon of a service's status."""
    return "RECOVER_LAST" if last_known else STATUS_ICONS[service.status]


def kind_icon(kind: str, capabilities: tuple[str, ...] = ()) -> str:
    """Return the icon of a kind: its own, or that of the first thing that it can make."""
    made = (_CAPABILITY_ICONS[name] for name in capabilities if name in _CAPABILITY_ICONS)
    return _KIND_ICONS.get(kind) or next(made, _OTHER_KIND)


def every_icon() -> frozenset[str]:
    """Return all icons that these functions can return."""
    named = (*STATUS_ICONS.values(), *_KIND_ICONS.values(), *_CAPABILITY_ICONS.values(), _OTHER_KIND, "RECOVER_LAST")
    return frozenset(named)
