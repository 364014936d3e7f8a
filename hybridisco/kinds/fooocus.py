"""Fooocus: pictures with few knobs. A Gradio 3 app on port 7865, which is also RVC's."""

from __future__ import annotations

from hybridisco.core.kind import Fact, Kind
from hybridisco.kinds._gradio import CONFIG, GRADIO_VERSION, app

KIND = Kind(
    id="fooocus",
    title="Fooocus",
    ports=(7865,),
    proofs=app(title=r"^Fooocus \d"),
    facts=(Fact("version", CONFIG, "title", r"^Fooocus (\d[\w.]*)", lens="gradio", asked=False), GRADIO_VERSION),
    capabilities=("image",),
    family="gradio",
    start_hint="Start it with `python entry_with_update.py` (Windows: run.bat).",
    lan_hint="To open it to the LAN, start it with `python entry_with_update.py --listen`.",
    homepage="https://github.com/lllyasviel/Fooocus",
)
