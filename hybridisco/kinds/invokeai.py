"""InvokeAI: a studio for pictures. FastAPI and a page of its own, port 9090."""

from __future__ import annotations

from hybridisco.core.conditions import body, has, status
from hybridisco.core.kind import Fact, Kind, Proof, Step

_VERSION = "/api/v1/app/version"

KIND = Kind(
    id="invokeai",
    title="InvokeAI",
    ports=(9090,),
    proofs=(
        Proof(
            (Step("/", (body(r"<title>\s*Invoke - Community Edition"),)), Step(_VERSION, (status(200), has("version"))))
        ),
    ),
    facts=(Fact("version", _VERSION, "version"),),
    capabilities=("image",),
    aliases=("invoke",),
    start_hint="Start it with its launcher, or with `invokeai-web`.",
    lan_hint="To open it to the LAN, put `host: 0.0.0.0` into its invokeai.yaml and restart it.",
    homepage="https://github.com/invoke-ai/InvokeAI",
)
