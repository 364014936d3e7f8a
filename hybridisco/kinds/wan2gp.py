"""Wan2GP ("WanGP"): video models for small graphics cards. A Gradio 5 app, port 7860.

It has no health endpoint: `/api/health` is that of wrappers. Its first releases had no title of their own, but a
heading "Wan 2.1<SUP>GP</SUP> v1.0".
"""

from __future__ import annotations

from hybridisco.core.conditions import matches
from hybridisco.core.kind import Kind
from hybridisco.kinds._gradio import GRADIO_VERSION, app, text_fact
from hybridisco.kinds._steps import health, health_facts

_HEALTH = "/api/health"
_NAMES = ("wan2gp", "wangp")
_HEADING = r"\bWan ?[\d.]* ?<SUP[^>]{0,100}>GP</SUP>"

KIND = Kind(
    id="wan2gp",
    title="Wan2GP",
    ports=(7860, 7861),
    proofs=(
        *app(
            matches("texts.*", _HEADING),
            # Its own element ids, if a later release drops title and heading.
            matches("elem_ids.*", r"^(queue_html_container$|wangp_)", at_least=2),
            title=r"^WanGP\b",
        ),
        *health(_HEALTH, *_NAMES),
    ),
    facts=(text_fact("version", _HEADING + r" ?v(\d[\w.]{0,30})"), *health_facts(_HEALTH), GRADIO_VERSION),
    capabilities=("video", "image", "audio"),
    family="gradio",
    aliases=("wangp",),
    start_hint="Start it with `python wgp.py` in Wan2GP's folder.",
    lan_hint="To open it to the LAN, start it with `python wgp.py --listen`.",
    homepage="https://github.com/deepbeepmeep/Wan2GP",
)
