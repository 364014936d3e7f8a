"""SD.Next: a Stable Diffusion web UI that grew out of AUTOMATIC1111's. A Gradio app, port 7860."""

from __future__ import annotations

from hybridisco.core.kind import Kind
from hybridisco.kinds._gradio import GRADIO_VERSION, app

KIND = Kind(
    id="sdnext",
    title="SD.Next",
    ports=(7860,),
    proofs=app(title=r"^SD\.Next\b"),
    facts=(GRADIO_VERSION,),
    capabilities=("image", "video"),
    family="gradio",
    aliases=("sd.next", "vladmandic"),
    start_hint="Start it with `./webui.sh` (Windows: webui.bat) in SD.Next's folder.",
    lan_hint="To open it to the LAN, start it with `./webui.sh --listen`.",
    homepage="https://github.com/vladmandic/sdnext",
)
