"""Ollama: language models on one's own machine. Port 11434.

KoboldCpp, LocalAI and others imitate its API, `/api/version` included, but not the line of text on its index.
"""

from __future__ import annotations

from hybridisco.core.conditions import body, has, status
from hybridisco.core.kind import Fact, Kind, Proof, Step

_VERSION = "/api/version"

KIND = Kind(
    id="ollama",
    title="Ollama",
    ports=(11434,),
    proofs=(Proof((Step("/", (status(200), body(r"\AOllama is running\s*\Z"))), Step(_VERSION, (has("version"),)))),),
    facts=(Fact("version", _VERSION, "version"),),
    capabilities=("text",),
    start_hint="Start it with `ollama serve`, or open the Ollama app.",
    lan_hint=(
        "To open it to the LAN, set OLLAMA_HOST=0.0.0.0 in its environment and restart it, or turn on "
        "“Expose Ollama to the network” in the app's settings."
    ),
    homepage="https://ollama.com",
)
