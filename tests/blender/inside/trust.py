"""A sidecar signs; its key changes; somebody looks at both keys and accepts the new one."""

from __future__ import annotations

import sys
from typing import Any

import bpy
from stage import (
    OURS,
    allow_online,
    api,
    chosen,
    enable,
    install,
    play,
    rows,
    session,
    tell,
    until,
    until_online,
)

LIMIT_S = 30.0


def found(status: str, trust: str) -> Any:
    """The ComfyUI of the GPU box, once it stands so."""

    def look() -> Any:
        return next((s for s in api().services("comfyui") if (s.status, s.trust) == (status, trust)), None)

    return until(look, LIMIT_S, f"it is {status} and {trust}: {[(s.status, s.trust) for s in api().services()]}")


def trust(archive: str) -> None:
    install(archive)
    enable()
    allow_online()
    bpy.ops.movie_director.discover_services()
    row = until_online("comfyui", "gpu-box")
    service = found("online", "pinned")
    tell("known", id=service.id, row=row, details=details(service), icons=missing_icons(), libraries=libraries())

    bpy.ops.hybridisco.use_service(service_id=service.id)
    tell("chosen", selected=api().selected("comfyui").id)

    liar = found("untrusted", "untrusted")
    changes = until(lambda: session().key_changes(liar), LIMIT_S, "the new key is noted")
    used = bpy.ops.hybridisco.use_service(service_id=liar.id)
    tell(
        "untrusted",
        id=liar.id,
        problem=liar.problem,
        details=details(liar),
        selected=api().selected("comfyui"),
        chosen=chosen(),
        used=sorted(used),
        fingerprints=[[change.known, change.new] for change in changes],
        usable=[s.id for s in api().services() if s.kind == "comfyui" and s.usable],
    )

    assert bpy.ops.hybridisco.accept_key(service_id=liar.id) == {"FINISHED"}
    again = found("online", "pinned")
    until(lambda: api().selected("comfyui") is not None, 5.0, "the choice leads to it again")
    tell(
        "accepted", id=again.id, trouble=session().key_trouble(liar), selected=api().selected("comfyui").id, rows=rows()
    )
    assert not bpy.ops.hybridisco.accept_key.poll(), "nothing is left to be accepted"


def details(service: Any) -> dict[str, str]:
    """What the panel says of a service."""
    module = sys.modules[f"{OURS}.logic.details"]
    return {line.label: line.value for line in module.details(service, session().title, 0.0)}


def missing_icons() -> list[str]:
    """Those that this Blender does not have."""
    there = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys()
    wanted = {*sys.modules[f"{OURS}.logic.icons"].every_icon(), "KEYINGSET"}
    return sorted(wanted - set(there))


def libraries() -> dict[str, bool]:
    """Which of those that can verify are there."""
    return {name: name in sys.modules for name in ("ecdsa", "cryptography")}


play(trust)
