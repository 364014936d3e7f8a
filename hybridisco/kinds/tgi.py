"""Hugging Face's Text Generation Inference: a server for language models. Port 3000, 80 inside its container.

80 is not searched: the container's port is published as another one (8080 in the manual).
"""

from __future__ import annotations

from hybridisco.core.conditions import has, status
from hybridisco.core.kind import Fact, Kind, Step
from hybridisco.kinds._steps import NO_PAGE, after

KIND = Kind(
    id="tgi",
    title="Text Generation Inference",
    ports=(3000, 8080),
    proofs=after(NO_PAGE, Step("/info", (status(200), has("model_id", "router", "max_total_tokens")))),
    facts=(Fact("version", "/info", "version"),),
    capabilities=("text",),
    aliases=("text-generation-inference",),
    start_hint="Start it with `text-generation-launcher --model-id MODEL`, or its container.",
    lan_hint="To open it to the LAN, publish the container's port on all addresses (`-p 8080:80`).",
    homepage="https://github.com/huggingface/text-generation-inference",
)
