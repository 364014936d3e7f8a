"""text-generation-webui ("TextGen"): a page for local language models (Gradio, port 7860) and an API (5000)."""

from __future__ import annotations

from hybridisco.core.conditions import has, status
from hybridisco.core.kind import Kind, Proof, Step
from hybridisco.kinds._gradio import GRADIO_VERSION, app
from hybridisco.kinds._steps import NO_PAGE

KIND = Kind(
    id="textgen",
    title="text-generation-webui",
    ports=(7860, 5000),
    proofs=(
        *app(title=r"(?i)^(TextGen|Text generation web ?UI)\b"),
        Proof((NO_PAGE, Step("/v1/internal/model/info", (status(200), has("model_name", "lora_names"))))),
    ),
    facts=(GRADIO_VERSION,),
    capabilities=("text",),
    family="gradio",
    aliases=("text-generation-webui", "oobabooga"),
    start_hint="Start it with the start script of its folder, and with `--api` for other programs.",
    lan_hint="To open it to the LAN, start it with `--listen --api`.",
    homepage="https://github.com/oobabooga/text-generation-webui",
)
