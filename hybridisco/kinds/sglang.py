"""SGLang: a server for language models. FastAPI, port 30000.

Its `/health` lets the model write a token, and some of its GETs change things: only two paths are asked.
"""

from __future__ import annotations

from hybridisco.core.conditions import body, has, status
from hybridisco.core.kind import Kind, Proof, Step

KIND = Kind(
    id="sglang",
    title="SGLang",
    ports=(30000,),
    proofs=(
        Proof((Step("/", (status(200), body(r'\A"?SGLang is running'))),)),
        # Releases before that line, and those that show Ollama's instead.
        Proof((Step("/model_info", (status(200), has("model_path", "is_generation"))),), expected_only=True),
    ),
    capabilities=("text",),
    start_hint="Start it with `python -m sglang.launch_server --model-path MODEL`.",
    lan_hint=(
        "To open it to the LAN, start it with `python -m sglang.launch_server --model-path MODEL --host 0.0.0.0`."
    ),
    homepage="https://docs.sglang.ai",
)
