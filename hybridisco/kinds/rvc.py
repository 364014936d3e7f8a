"""RVC (Retrieval-based Voice Conversion): two programs, the WebUI (Gradio 3, port 7865) and rvc-python's API (5050).

The WebUI's labels are translated, its title and its functions' names are not. It takes the next port when its own
is taken; the Windows launcher uses 7897. Neither has a health endpoint: `/api/status` is that of wrappers.
"""

from __future__ import annotations

from hybridisco.core.conditions import exactly, status
from hybridisco.core.kind import Kind, Step
from hybridisco.kinds._gradio import GRADIO_VERSION, app
from hybridisco.kinds._steps import NO_PAGE, after, health, health_facts

_HEALTH = "/api/status"
_ALIASES = ("rvc-webui", "rvc-python", "retrieval-based-voice-conversion")
_PARAMS = frozenset(("f0method", "f0up_key", "index_rate", "filter_radius", "resample_sr", "rms_mix_rate", "protect"))

KIND = Kind(
    id="rvc",
    title="RVC",
    ports=(7865, 7897, 5050),
    proofs=(
        *app(title=r"^RVC WebUI\b", functions=("infer_convert", "infer_change_voice")),
        *after(NO_PAGE, Step("/params", (status(200), exactly("", _PARAMS)))),
        *health(_HEALTH, "rvc", *_ALIASES),
    ),
    facts=(*health_facts(_HEALTH), GRADIO_VERSION),
    capabilities=("voice",),
    family="gradio",
    aliases=_ALIASES,
    start_hint="Start the WebUI with `python infer-web.py` (Windows: go-web.bat), or `python -m rvc_python api`.",
    lan_hint=(
        "To open it to the LAN, start the RVC WebUI without a `server_name` of your own (it then takes 0.0.0.0), or "
        "rvc-python with `python -m rvc_python api -p 5050 -l`."
    ),
    homepage="https://github.com/RVC-Project/Retrieval-based-Voice-Conversion-WebUI",
)
