"""Blender is started again: what was known is there, and is checked. Then the extension goes off and on, and leaves."""

from __future__ import annotations

import time

import bpy
from stage import (
    TIMERS,
    allow_online,
    api,
    chosen,
    disable,
    enable,
    is_enabled,
    play,
    preferences,
    restart,
    rows,
    tell,
    threads,
    traces,
    uninstall,
    until,
    until_online,
)

ROUNDS = 5
LIMIT_S = 5.0  # beyond the two seconds that are promised, so that the test can tell how late it was


def second_day() -> None:
    clean = traces()
    restart()
    until(lambda: rows() and all(row["last_known"] for row in rows()), 3.0, "the rows of yesterday are marked")
    tell("restored", enabled=is_enabled(), rows=rows(), chosen=chosen(), manual=len(preferences().manual))

    bpy.ops.movie_director.discover_services()  # by itself it begins only in a window
    until_online("comfyui", "gpu-box")
    until_online("rvc")
    until(lambda: not any(row["last_known"] for row in rows()), 15.0, "every row was checked")
    selected = api().selected("comfyui")
    tell("checked", rows=rows(), chosen=chosen(), selected=selected and selected.id)

    for number in range(ROUNDS):
        if not is_enabled():
            enable()
            bpy.ops.movie_director.discover_services()
            if number >= ROUNDS // 2:  # at first it is switched off while the network libraries are still loading
                until_online("comfyui", "gpu-box")
            else:
                until(threads, 5.0, "discovery has begun")
        busy = traces()
        started = time.monotonic()
        disable()
        blocked_s = time.monotonic() - started
        until(lambda: not [name for name in threads() if name not in clean["threads"]], LIMIT_S, "its threads end")
        gone_s = time.monotonic() - started
        tell("round", busy=busy, after=traces(), clean=clean, blocked_s=blocked_s, gone_s=gone_s)
        TIMERS.turn()

    enable()
    allow_online()
    bpy.ops.movie_director.discover_services()
    until(threads, 5.0, "discovery has begun")
    folder = uninstall()
    until(lambda: not threads(), LIMIT_S, "its threads end")
    tell("uninstalled", there=folder.exists(), after=traces(), clean=clean)


play(second_day)
