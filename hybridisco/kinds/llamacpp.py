"""llama.cpp's server: one language model, an OpenAI-style API. Port 8080.

It says its name in the Server header of every reply. While the model loads all paths answer 503.
"""

from __future__ import annotations

from hybridisco.core.conditions import either, has, header, status
from hybridisco.core.kind import Fact, Kind, Proof, Step
from hybridisco.core.model import Status

_PROPS = "/props"
_SERVER = header("server", r"^llama\.cpp")
_ITS_OWN = Step("/", (_SERVER,))

KIND = Kind(
    id="llamacpp",
    title="llama.cpp",
    ports=(8080,),
    proofs=(
        Proof((Step("/", (_SERVER, status(503))),), Status.STARTING),
        Proof((_ITS_OWN, Step(_PROPS, (status(401),))), Status.LOCKED),
        Proof((_ITS_OWN, Step(_PROPS, (either(has("default_generation_settings"), has("build_info")),)))),
    ),
    facts=(Fact("version", _PROPS, "build_info", asked=False),),
    capabilities=("text",),
    aliases=("llama.cpp", "llama-server"),
    start_hint="Start it with `llama-server -m MODEL.gguf`.",
    lan_hint="To open it to the LAN, start it with `llama-server -m MODEL.gguf --host 0.0.0.0`.",
    homepage="https://github.com/ggml-org/llama.cpp",
)
