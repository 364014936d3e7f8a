"""KoboldCpp: language models, pictures and speech in one file. Port 5001.

It imitates ComfyUI, Ollama, AUTOMATIC1111 and OpenAI. Only `/api/extra/version` says who it is.
"""

from __future__ import annotations

from hybridisco.core.conditions import equals
from hybridisco.core.kind import Fact, Kind, Proof, Step
from hybridisco.core.model import Status

_VERSION = "/api/extra/version"
_NAMED = equals("result", "KoboldCpp")

KIND = Kind(
    id="koboldcpp",
    title="KoboldCpp",
    ports=(5001,),
    proofs=(
        Proof((Step(_VERSION, (_NAMED, equals("protected", True))),), Status.LOCKED),
        Proof((Step(_VERSION, (_NAMED,)),)),
    ),
    facts=(Fact("version", _VERSION, "version"),),
    capabilities=("text", "image", "voice"),
    start_hint="Start it with `koboldcpp --model MODEL.gguf`.",
    lan_hint="To open it to the LAN, start it without `--host`, or with `--host 0.0.0.0`.",
    homepage="https://github.com/LostRuins/koboldcpp",
)
