"""RVC WebUI, a Gradio 3 program; known by its title, or by its API names when that was changed."""

from __future__ import annotations

from typing import Final

from hybridisco.testing.backends.backend import Backend
from hybridisco.testing.backends.gradio import SERVER, App

_APP: Final = App("rvc", major=3, health_path="/api/status", wrapper_version="2.2.0")

BACKEND: Final = Backend(
    kind="rvc",
    answer=_APP.answer,
    locked=_APP.locked,
    mistaken_for="audioldm",  # see wan2gp
    server=SERVER,
)
