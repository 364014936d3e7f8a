"""Somebody wrote nonsense into the preferences, and starts Blender again."""

from __future__ import annotations

import bpy
from stage import (
    allow_online,
    enable,
    install,
    is_enabled,
    online,
    play,
    preferences,
    restart,
    rows,
    save_preferences,
    session,
    tell,
    until,
    until_online,
)


def write(archive: str, good_url: str) -> None:
    install(archive)
    enable()
    allow_online()
    mine = preferences()
    mine.hosts = "::::"
    mine.ports = "banana"
    for url in ("javascript:alert(1)", good_url):
        entry = mine.manual.add()
        entry.url, entry.kind, entry.title = url, "rvc", "The voice"
    save_preferences()
    tell("saved")


def start() -> None:
    restart()
    tell("started", enabled=is_enabled(), rows=rows())
    bpy.ops.movie_director.discover_services(wait_s=15.0)
    until_online("comfyui", "gpu-box")
    until_online("rvc")
    tell("found", rows=rows(), complaints=complaints())

    # Mended: at once, with no restart.
    mine = preferences()
    mine.hosts, mine.ports = "localhost", "8000-8200"
    mine.manual.remove(0)
    until(lambda: online("litellm"), 15.0, "localhost is searched again")
    tell("mended", rows=rows(), complaints=complaints())


def complaints() -> list[str]:
    """What is said beside the settings, and where."""
    return [f"{complaint.place}: {complaint.message}" for complaint in session().complaints]


def bad_values(*arguments: str) -> None:
    write(*arguments) if arguments else start()


play(bad_values)
