"""How every Gradio peer is served: ``python <app>.py HOST PORT``, no sharing, nothing to the internet."""

from __future__ import annotations

import sys
from typing import Any


def launch(demo: Any, **more: Any) -> None:
    """Serve ``demo`` (a ``gradio.Blocks``, of whichever release this environment has) until it is killed."""
    host, port = sys.argv[1], int(sys.argv[2])
    demo.launch(server_name=host, server_port=port, share=False, inbrowser=False, quiet=True, **more)
