"""AUTOMATIC1111's Stable Diffusion web UI, and Forge, which is built on it. A Gradio app, port 7860.

The title "Stable Diffusion" alone is used by others, so an element's id and a path of its own must agree.
"""

from __future__ import annotations

from hybridisco.core.conditions import equals, exactly, status
from hybridisco.core.kind import Kind, Proof, Step
from hybridisco.kinds._gradio import GRADIO_VERSION, shows, text_fact, titled

KIND = Kind(
    id="automatic1111",
    title="Stable Diffusion web UI",
    ports=(7860, 7861),
    proofs=(
        Proof(
            (
                shows(titled(r"^Stable Diffusion\b"), equals("elem_ids.*", "txt2img_prompt")),
                Step("/internal/ping", (status(200), exactly("", frozenset()))),
            )
        ),
    ),
    facts=(text_fact("version", r"version: <a [^>]{0,200}>([^<]{1,40})</a>"), GRADIO_VERSION),
    capabilities=("image",),
    family="gradio",
    aliases=("a1111", "forge", "stable-diffusion-webui"),
    start_hint="Start it with `./webui.sh` (Windows: webui-user.bat); other programs need `--api` besides.",
    lan_hint="To open it to the LAN, start it with `./webui.sh --listen --api`.",
    homepage="https://github.com/AUTOMATIC1111/stable-diffusion-webui",
)
