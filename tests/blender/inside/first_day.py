"""Somebody installs the extension, finds what is there, chooses one, opens files, and saves the preferences."""

from __future__ import annotations

import sys

import bpy
from stage import (
    allow_online,
    api,
    chosen,
    enable,
    install,
    new_file,
    open_file,
    play,
    policy_warnings,
    rows,
    save_preferences,
    tell,
    traces,
    until,
    until_online,
)

NETWORK = ("zeroconf", "aiohttp", "websockets", "ifaddr")


def first_day(archive: str, scene: str, hidden: str) -> None:
    folder = install(archive)
    enable()
    loaded = sorted({name for name in sys.modules for part in NETWORK if part in name.split(".")})
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    tell("installed", files=files, loaded=loaded, traces=traces(), version=bpy.app.version_string)

    allow_online()
    bpy.ops.movie_director.discover_services(wait_s=15.0)
    far = until_online("comfyui", "gpu-box")
    until_online("litellm")
    tell("found", rows=rows(), warnings=policy_warnings())

    bpy.ops.hybridisco.use_service(service_id=far["service_id"])
    tell("chosen", chosen=chosen(), far=far)

    before = rows()
    new_file()
    tell("new file", before=before, after=rows())
    bpy.ops.wm.save_as_mainfile(filepath=scene)
    open_file(scene)
    tell("opened file", before=before, after=rows(), chosen=chosen())

    # It goes on living: what is written down now turns up.
    bpy.ops.hybridisco.add_service(url=hidden, kind="rvc", title="The voice")
    until_online("rvc")
    selected = until(lambda: api().selected("comfyui"), 5.0, "the choice is known to other extensions")
    tell("added", rows=rows(), selected=selected.id)

    save_preferences()
    tell("saved", rows=rows())


play(first_day)
