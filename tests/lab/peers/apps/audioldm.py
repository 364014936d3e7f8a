"""AudioLDM's face without its models: the heading and the model choices of upstream's ``app.py``."""

from __future__ import annotations

import gradio as gr
from serving import launch

HEADING = "AudioLDM: Text-to-Audio Generation with Latent Diffusion Models"

with gr.Blocks() as demo:
    gr.HTML(f"<div><h1 style='font-weight: 900;'>{HEADING}</h1></div>")
    text = gr.Textbox(label="Input text", elem_id="prompt-in")
    gr.Dropdown(["audioldm-s-full", "audioldm-m-full"], label="Choose the model")
    gr.Button("Submit").click(lambda value: value, text, text, api_name=None)

launch(demo)
