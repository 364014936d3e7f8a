"""Any other Gradio app: no name of its own, nothing that tells a kind."""

from __future__ import annotations

import gradio as gr
from serving import launch

launch(gr.Interface(lambda x: x, "textbox", "textbox"))
