"""Somebody chose a service; its machine gets another address, and then goes."""

from __future__ import annotations

import bpy
from stage import allow_online, api, chosen, enable, install, play, rows, tell, until, until_online


def choice(archive: str, second_address: str) -> None:
    install(archive)
    enable()
    allow_online()
    bpy.ops.movie_director.discover_services()
    found = until_online("comfyui", "gpu-box")
    bpy.ops.hybridisco.use_service(service_id=found["service_id"])
    tell("chosen", row=found, chosen=chosen())

    def moved() -> bool:
        selected = api().selected("comfyui")
        return selected is not None and second_address in str(selected.url)

    until(moved, 30.0, "the choice is at its new address")
    tell("moved", rows=rows(), chosen=chosen(), selected=api().selected("comfyui").id)

    until(lambda: api().selected("comfyui") is None, 30.0, "the chosen one is gone")
    tell("gone", rows=rows(), chosen=chosen())

    until(lambda: api().selected("comfyui") is not None, 30.0, "the chosen one is back")
    tell("back", rows=rows(), chosen=chosen())


play(choice)
