"""vLLM: an OpenAI-style server for language models. FastAPI, port 8000.

`/version` alone is answered by many; the models' owner is vLLM's own. With a key set the models are refused.
"""

from __future__ import annotations

from hybridisco.core.conditions import equals, exactly, status
from hybridisco.core.kind import Fact, Kind, Step
from hybridisco.core.model import Status
from hybridisco.kinds._steps import NO_PAGE, after

_VERSION = Step("/version", (status(200), exactly("", frozenset({"version"}))))
_MODELS = "/v1/models"

KIND = Kind(
    id="vllm",
    title="vLLM",
    ports=(8000,),
    proofs=(
        *after(NO_PAGE, _VERSION, Step(_MODELS, (equals("data.*.owned_by", "vllm"),))),
        *after(NO_PAGE, _VERSION, Step(_MODELS, (status(401), equals("error", "Unauthorized"))), show=Status.LOCKED),
    ),
    facts=(Fact("version", "/version", "version"),),
    capabilities=("text",),
    start_hint="Start it with `vllm serve MODEL`.",
    lan_hint="To open it to the LAN, start it without `--host`, or with `vllm serve MODEL --host 0.0.0.0`.",
    homepage="https://docs.vllm.ai",
)
