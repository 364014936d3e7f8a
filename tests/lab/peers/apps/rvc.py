"""RVC WebUI's face without its models: the title and the API names of upstream's ``infer-web.py``."""

from __future__ import annotations

import gradio as gr
from serving import launch

with gr.Blocks(title="RVC WebUI") as demo:
    gr.Markdown("## RVC WebUI")
    field = gr.Textbox(label="x")
    convert = gr.Button("Convert")
    for name in ("infer_convert", "infer_change_voice", "train_start_all"):
        convert.click(lambda text: text, field, field, api_name=name)

launch(demo)
