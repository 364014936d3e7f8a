"""Snapshots to draw: one of each status, and the extremes that a terminal has to survive."""

from __future__ import annotations

from dataclasses import replace

from hybridisco.core.model import Endpoint, Service, Snapshot, SourceName, SourceState, Status

NOON = 1795348800.0  # 2026-11-22T12:00:00Z


def service(**changes: object) -> Service:
    """Return a ComfyUI on a GPU box, changed as asked."""
    base = Service(
        id="ahzq5f3kq7vexnd2wmbt4ycg6u",
        kind="comfyui",
        name="ComfyUI on gpu-box",
        host="gpu-box.local",
        endpoints=(Endpoint("10.77.0.2", 8188, interface="eth0", reachable=True, latency_ms=1.23),),
        status=Status.ONLINE,
        problem=None,
        verified=True,
        version="0.3.64",
        capabilities=("image",),
        properties=(("gpu", "RTX 4090"), ("vram_mib", 24564)),
        sources=(SourceName.MDNS, SourceName.PROBE),
        latency_ms=1.23,
        first_seen=NOON,
        last_seen=NOON + 1.5,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def snapshot(*services: Service, **changes: object) -> Snapshot:
    """Return a complete snapshot of these services."""
    sources = (
        (SourceName.MDNS, SourceState("ok")),
        (SourceName.PROBE, SourceState("ok")),
        (SourceName.MANUAL, SourceState("ok")),
    )
    base = Snapshot(revision=7, services=services, sources=sources, complete=True, elapsed_s=0.3141)
    return replace(base, **changes)  # type: ignore[arg-type]


LOCKED = service(
    id="litellm@localhost:4000",
    kind="litellm",
    name="LiteLLM",
    host="localhost",
    endpoints=(Endpoint("127.0.0.1", 4000, reachable=True, latency_ms=0.61),),
    status=Status.LOCKED,
    problem="LiteLLM at http://127.0.0.1:4000 wants a login or a key before it says more. Log in in your browser, or "
    "give the key to the program that uses it; Hybridisco sends none.",
    version=None,
    capabilities=("text",),
    properties=(),
    sources=(SourceName.PROBE,),
    latency_ms=0.61,
)
BUSY = service(
    id="wan2gp@studio.local:7860",
    kind="wan2gp",
    name="Wan2GP on studio",
    host="studio.local",
    endpoints=(Endpoint("fe80::1a2b:3c4d:5e6f:7a8b", 7860, interface="eth0", reachable=True, latency_ms=14.2),),
    status=Status.BUSY,
    version="8.994",
    capabilities=("video",),
    sources=(SourceName.MDNS,),
    latency_ms=14.2,
)
GONE = service(
    id="rvc@old-box:7865",
    kind="rvc",
    name="The voice machine",
    host="old-box",
    endpoints=(Endpoint("", 7865, host="old-box"),),
    status=Status.UNREACHABLE,
    problem="The name old-box is not known. Probably it is misspelt or the machine is off. Check the name, or write "
    "the machine's IP address instead.",
    verified=False,
    version=None,
    capabilities=("voice",),
    sources=(SourceName.MANUAL,),
    latency_ms=None,
)
TYPICAL = snapshot(service(), LOCKED, GONE, BUSY)
