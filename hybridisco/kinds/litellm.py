"""LiteLLM proxy: one OpenAI-style door to many language models. FastAPI, port 4000 (8000 up to 1.10).

`/health` is never asked: without a key set it makes a real, paid call to every model. `/health/drain` can take a
worker out of rotation, `/openapi.json` has 2 MB, `/v1/models` says "openai" and wants the key.
"""

from __future__ import annotations

from hybridisco.core.conditions import equals, has, matches, status
from hybridisco.core.kind import Fact, Kind, Proof, Step
from hybridisco.core.model import Status
from hybridisco.kinds._steps import SPEAKS_JSON, after

_HUB = "/public/model_hub/info"

KIND = Kind(
    id="litellm",
    title="LiteLLM",
    ports=(4000, 8000),
    proofs=(
        *after(SPEAKS_JSON, Step(_HUB, (has("litellm_version", "docs_title"),))),  # from 1.75
        *after(SPEAKS_JSON, Step("/.well-known/litellm-ui-config", (has("server_root_path", "proxy_base_url"),))),
        *after(SPEAKS_JSON, Step("/health/liveliness", (equals("", "I'm alive!"),))),  # all releases
    ),
    opt_in=(
        Proof((Step("/health", (status(200), has("healthy_endpoints", "unhealthy_endpoints"))),)),
        Proof((Step("/health", (status(401), matches("error.type", "^auth_error$"))),), Status.LOCKED),
    ),
    facts=(
        Fact("version", _HUB, "litellm_version"),
        Fact("version", "/health/readiness", "litellm_version"),  # old releases
    ),
    capabilities=("text",),
    start_hint="Start it with `litellm --config config.yaml`; recent releases need LITELLM_MASTER_KEY to be set.",
    lan_hint=(
        "To open it to the LAN, start it without `--host`, or with `litellm --config config.yaml --host 0.0.0.0`; in "
        "a container publish the port (`-p 4000:4000`)."
    ),
    homepage="https://docs.litellm.ai",
)
