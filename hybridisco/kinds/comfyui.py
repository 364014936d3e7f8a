"""ComfyUI: pictures, film and sound from node graphs. Its own web server (aiohttp), port 8188.

ComfyUI Desktop listens on 8000, which older LiteLLM takes too. KoboldCpp imitates `/system_stats` and `/ws`, each
with a constant that gives it away. A bare WebSocket upgrade proves nothing (Janus WebRTC also uses 8188).
The port opens only after all custom nodes are loaded: "refused" while it starts is normal.
"""

from __future__ import annotations

from hybridisco.core.conditions import equals, has, status, unless
from hybridisco.core.kind import Fact, Kind, Proof, Step

_STATS = "/system_stats"  # its `argv` holds paths of the user's: no fact reads it
_FRAME = "ws:/ws"

_SYSTEM = Step(
    _STATS,
    (
        has("system.python_version", "system.pytorch_version", "system.embedded_python"),
        has("devices.*.vram_total", "devices.*.torch_vram_total"),
        unless(equals("devices.*.name", "koboldcpp")),
    ),
)

#: The first frame after the upgrade, from a wrapper that has the WebSocket and little else.
_GREETING = (
    Step(
        _FRAME,
        (
            equals("type", "status"),
            has("data.sid"),
            unless(equals("data.sid", "ffff000012345678ffff000012345678")),  # KoboldCpp's
        ),
    ),
    Step("/api/extra/version", (unless(equals("result", "KoboldCpp")),)),
)

_NOT_CPU = unless(equals("devices.0.type", "cpu"))  # there "vram_total" is the machine's RAM

KIND = Kind(
    id="comfyui",
    title="ComfyUI",
    ports=(8188, 8000),
    proofs=(
        Proof((_SYSTEM,)),
        Proof(_GREETING, expected_only=True),
        # Elsewhere a plain GET must be refused as a WebSocket refuses it, before an upgrade is tried.
        Proof((Step("/ws", (status(400, 426),)), *_GREETING)),
    ),
    facts=(
        Fact("version", _STATS, "system.comfyui_version", r"^(?!unknown$)(.+)", asked=False),
        # "cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync"
        Fact("gpu", _STATS, "devices.0.name", r"^(?:[a-z]+:\d+ )?(.+?)(?: : \w+)?$", where=(_NOT_CPU,), asked=False),
        Fact("vram_mib", _STATS, "devices.0.vram_total", scale=1 / 2**20, where=(_NOT_CPU,), asked=False),
        Fact("queue", _FRAME, "data.status.exec_info.queue_remaining", asked=False),
        Fact("queue", "/prompt", "exec_info.queue_remaining"),
    ),
    capabilities=("image", "video", "audio"),
    aliases=("comfy",),
    # There is no limit in ComfyUI itself. A picture takes tens of seconds: behind ten of them a new one waits for
    # minutes, and a client that knows a second server should go there.
    queue_limit=10,
    start_hint="Start it with `python main.py` in ComfyUI's folder, or open ComfyUI Desktop.",
    lan_hint=(
        "To open it to the LAN, start it with `python main.py --listen 0.0.0.0`; in ComfyUI Desktop "
        "set Settings → Server-Config → Host to 0.0.0.0 and restart it."
    ),
    homepage="https://www.comfy.org",
)
