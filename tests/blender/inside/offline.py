"""Blender is not allowed to go online: discovery says so, and does nothing; allowed and forbidden again, it stops."""

from __future__ import annotations

import time

import bpy
from stage import (
    TIMERS,
    allow_online,
    enable,
    install,
    play,
    sockets,
    tell,
    threads,
    traces,
    until,
    until_online,
)

QUIET_TURNS = 200


def offline(archive: str) -> None:
    clean = traces()
    install(archive)
    enable()
    tell("forbidden", allowed=bpy.app.online_access, poll=bpy.ops.movie_director.discover_services.poll())
    try:
        bpy.ops.movie_director.discover_services()
    except RuntimeError as error:
        tell("refused", message=str(error))
    for _ in range(QUIET_TURNS):
        TIMERS.turn()
        time.sleep(0.01)
    tell("quiet", threads=threads(), sockets=sockets(), clean=clean)

    allow_online()
    bpy.ops.movie_director.discover_services()
    until_online("litellm")
    tell("allowed", threads=threads(), sockets=sockets())

    allow_online(False)
    until(lambda: threads() == clean["threads"], 5.0, "it stops")
    tell("forbidden again", threads=threads(), sockets=sockets(), clean=clean)


play(offline)
