"""Any other Gradio app: what can be said of it is its title. Never guessed to be one of the programs.

With no port given Gradio takes the first free one from 7860 on. Not announced: its purpose is unknown.
"""

from __future__ import annotations

from hybridisco.core.kind import Fact, Kind, Proof, Tier
from hybridisco.core.model import Status
from hybridisco.kinds._gradio import CONFIG, MANIFEST, REFUSED, asks_login, shows

_TITLE = r"(?s)^(?!Gradio$)(.+)"  # the title of an app that has none says nothing

KIND = Kind(
    id="gradio",
    title="Gradio app",
    ports=(7860, 7861, 7862, 7863, 7864, 7865),
    proofs=(
        Proof((shows(),)),
        Proof((REFUSED, asks_login()), Status.LOCKED),
    ),
    facts=(
        Fact("version", CONFIG, "version", lens="gradio", asked=False),
        Fact("title", CONFIG, "title", _TITLE, lens="gradio", asked=False),
        Fact("title", "/", "title", _TITLE, lens="gradio", asked=False),
        Fact("title", MANIFEST, "name", _TITLE, asked=False),
    ),
    tier=Tier.FRAMEWORK,
    family="gradio",
    start_hint="Start it with `python app.py`, or whatever its manual says.",
    lan_hint=(
        "To open it to the LAN, start it with `--listen` if it knows that flag, else with "
        "GRADIO_SERVER_NAME=0.0.0.0 in its environment."
    ),
    homepage="https://www.gradio.app",
    announced=False,
)
