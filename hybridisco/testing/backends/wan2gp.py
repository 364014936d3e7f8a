"""Wan2GP ("WanGP"), a Gradio 5 program. It tells its version only inside a heading on its page."""

from __future__ import annotations

import re
from typing import Final

from hybridisco.testing.backends.backend import Backend
from hybridisco.testing.backends.gradio import SERVER, App, JsonObject
from hybridisco.testing.replies import Options

_VERSION: Final = re.compile(r"(?<=</SUP> v)[\w.]+")


def _adapt(config: JsonObject, options: Options) -> None:
    if options.version is None:
        return
    heading = config["components"][0]["props"]
    version = options.version.removeprefix("v")
    heading["value"] = _VERSION.sub(lambda _: version, heading["value"])


_APP: Final = App("wan2gp", major=5, health_path="/api/health", wrapper_version="12.60", adapt=_adapt)

BACKEND: Final = Backend(
    kind="wan2gp",
    answer=_APP.answer,
    locked=_APP.locked,
    mistaken_for="rvc",  # Gradio takes the first free port from 7860 on, so its programs swap places
    server=SERVER,
)
