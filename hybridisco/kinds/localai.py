"""LocalAI: text, pictures and speech behind an OpenAI-style API. Port 8080.

It also answers on Ollama's paths. Old releases lack the discovery document, and name themselves on their index.
"""

from __future__ import annotations

from hybridisco.core.conditions import body, has, status
from hybridisco.core.kind import Fact, Kind, Proof, Step
from hybridisco.kinds._steps import after

_DOCUMENT = "/.well-known/localai.json"
_NAMED = Step("/", (body(r"LocalAI"),))
_SAYS_VERSION = (status(200), has("version"))

KIND = Kind(
    id="localai",
    title="LocalAI",
    ports=(8080,),
    proofs=(
        *after(_NAMED, Step(_DOCUMENT, (*_SAYS_VERSION, has("endpoints")))),
        Proof((Step("/", (body(r"<title>[^<]{0,60}LocalAI"),)), Step("/version", _SAYS_VERSION))),
    ),
    facts=(
        Fact("version", _DOCUMENT, "version", asked=False),
        Fact("version", "/version", "version", asked=False),
    ),
    capabilities=("text", "image", "audio", "voice"),
    aliases=("local-ai",),
    start_hint="Start it with `local-ai run`, or its container.",
    lan_hint="To open it to the LAN, start it without `--address`, or with `local-ai run --address 0.0.0.0:8080`.",
    homepage="https://localai.io",
)
