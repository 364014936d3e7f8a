"""Wan2GP's face without its models: the title, header and ids of upstream's ``wgp.py``."""

from __future__ import annotations

import os

import gradio as gr
from serving import launch

HEADER = (
    '<div align=center><H1>Wan<SUP style="color: #2563eb;">GP</SUP> v12.60 '
    "<FONT SIZE=4>by <I>DeepBeepMeep</I></FONT></H1></div>"
)

with gr.Blocks(title="WanGP") as demo:
    gr.Markdown(HEADER)
    with gr.Tabs(), gr.Tab("Media Generator", id="media_gen"):
        prompt = gr.Textbox(label="Prompt")
        gr.HTML(elem_id="queue_html_container")
        gr.Button("Generate").click(lambda text: text, prompt, prompt, api_name="f")

login = os.environ.get("PEER_LOGIN")  # "user:password"
launch(demo, **({"auth": tuple(login.split(":", 1))} if login else {}))
