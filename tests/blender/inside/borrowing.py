"""Another extension asks ours what there is, while ours is switched off and on and replaced by a new one."""

from __future__ import annotations

import sys
from collections.abc import Callable

import bpy
from stage import OURS, allow_online, disable, enable, install, play, tell, until, until_online

BORROWER = "bl_ext.user_default.borrower"


def borrowing(borrower: str, archive: str) -> None:
    install(borrower)
    enable(BORROWER)
    tell("without", state=look())
    disable(BORROWER)

    install(archive)
    enable()
    enable(BORROWER)
    allow_online()
    bpy.ops.movie_director.discover_services()
    found = until_online("comfyui", "gpu-box")
    bpy.ops.hybridisco.use_service(service_id=found["service_id"])
    until(lambda: told_of("comfyui"), 5.0, "the other extension was called")
    tell("with", row=found, state=look(), calls=calls())

    disable()
    tell("disabled", state=look())

    again("enabled", enable)

    def update() -> None:
        first = sys.modules[OURS]
        install(archive)
        assert sys.modules[OURS] is not first, "nothing was replaced"

    again("updated", update)

    disable(BORROWER)
    before = len(calls())
    bpy.ops.movie_director.discover_services(wait_s=5.0)
    tell("let go", before=before, after=len(calls()))


def again(what: str, change: Callable[[], object]) -> None:
    """Ours comes back; the other extension does nothing about it."""
    before = len(calls())
    change()
    allow_online()
    bpy.ops.movie_director.discover_services()
    until_online("comfyui", "gpu-box")
    until(lambda: any("comfyui" in kinds for kinds in calls()[before:]), 5.0, f"the other extension was called: {what}")
    tell(what, state=look(), calls=calls()[before:])


def look() -> object:
    return sys.modules[BORROWER].look()


def calls() -> list[list[str]]:
    return list(sys.modules[BORROWER].CALLS)


def told_of(kind: str) -> bool:
    return any(kind in kinds for kinds in calls())


play(borrowing)
