"""AudioLDM and AudioLDM 2: sounds and music from text. Gradio 3 apps that never set a title ("Gradio").

Known by their heading, or by the checkpoints that can be chosen. Gradio gives them 7860; 7863 is where setups put
them that run beside other Gradio apps. `/api/ready` is the health endpoint of wrappers.
"""

from __future__ import annotations

from hybridisco.core.conditions import matches
from hybridisco.core.kind import Kind
from hybridisco.kinds._gradio import GRADIO_VERSION, app, text_fact
from hybridisco.kinds._steps import health, health_facts

_HEALTH = "/api/ready"
_HEADING = r"\b(AudioLDM(?: ?2)?): (?:Text-to-Audio Generation|A General Framework for Audio)"

KIND = Kind(
    id="audioldm",
    title="AudioLDM",
    ports=(7863, 7860),
    proofs=(
        *app(matches("texts.*", _HEADING), matches("choices.*", r"^audioldm\d?-", at_least=2)),
        *health(_HEALTH, "audioldm", "audioldm2"),
    ),
    facts=(text_fact("model", _HEADING), *health_facts(_HEALTH), GRADIO_VERSION),
    capabilities=("audio",),
    family="gradio",
    aliases=("audioldm2",),
    start_hint="Start it with `python app.py` in AudioLDM's folder.",
    lan_hint=(
        "To open it to the LAN, start it with GRADIO_SERVER_NAME=0.0.0.0 in its environment "
        "(and GRADIO_SERVER_PORT=7863, if other Gradio apps run there)."
    ),
    homepage="https://github.com/haoheliu/AudioLDM2",
)
