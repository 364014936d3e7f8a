"""AudioLDM, a Gradio 3 program that never named itself: its title is "Gradio", its heading tells."""

from __future__ import annotations

from typing import Final

from hybridisco.testing.backends.backend import Backend
from hybridisco.testing.backends.gradio import SERVER, App

_APP: Final = App("audioldm", major=3, health_path="/api/ready", wrapper_version="1.0.0")

BACKEND: Final = Backend(
    kind="audioldm",
    answer=_APP.answer,
    locked=_APP.locked,
    mistaken_for="wan2gp",  # see wan2gp
    server=SERVER,
)
