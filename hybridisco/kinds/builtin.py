"""The backend kinds that Hybridisco knows, in their order: one file of data each, and one line in this table."""

from __future__ import annotations

from hybridisco.core.kind import Kind
from hybridisco.kinds import (
    audioldm,
    automatic1111,
    comfyui,
    fooocus,
    gradio,
    invokeai,
    koboldcpp,
    litellm,
    llamacpp,
    lmstudio,
    localai,
    ollama,
    openwebui,
    rvc,
    sdnext,
    sglang,
    swarmui,
    textgen,
    tgi,
    triton,
    vllm,
    wan2gp,
)

#: The order is the rank: where the replies of one server prove two kinds, the first is meant.
BUILTIN: tuple[Kind, ...] = (
    koboldcpp.KIND,  # imitates ComfyUI, Ollama and others, and is imitated by none: it goes before them all
    # The five that Hybridisco is made for.
    comfyui.KIND,
    wan2gp.KIND,
    litellm.KIND,
    rvc.KIND,
    audioldm.KIND,
    # Pictures and film: programs before what they grew into or out of (SD.Next has all of AUTOMATIC1111's ids).
    sdnext.KIND,
    automatic1111.KIND,
    fooocus.KIND,
    invokeai.KIND,
    swarmui.KIND,
    # Text. LocalAI answers on Ollama's paths, and all of them on OpenAI's.
    localai.KIND,
    llamacpp.KIND,
    ollama.KIND,
    lmstudio.KIND,
    vllm.KIND,
    sglang.KIND,
    tgi.KIND,
    textgen.KIND,
    openwebui.KIND,
    triton.KIND,
    gradio.KIND,  # a framework: only meant when no program built on it is
)
