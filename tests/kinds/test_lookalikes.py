"""Servers that live on the same ports, or imitate one of the five: each is told by its own name, or by none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hybridisco.core.conditions import Reply
from hybridisco.core.model import Status
from hybridisco.kinds import BUILTIN, get

from .replay import COMFYUI_FRAME, Server, as_json, gradio_config, gradio_login, identify, recorded, reply

FIVE = ("comfyui", "wan2gp", "litellm", "rvc", "audioldm")
PORTS_OF_THE_FIVE = sorted({port for kind in BUILTIN if kind.id in FIVE for port in kind.ports})

FOOTER = (
    "<div><a href='/docs'>API</a></div>"
    + " " * 700
    + "<div class='versions'>version: <a href=\"https://example.org/commit/82a973c0\">v1.10.1</a></div>"
)
KOBOLD_FRAME = json.dumps(
    {
        "type": "status",
        "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "ffff000012345678ffff000012345678"},
    }
)
EMPTY_404 = Reply("", 404, (), "")
PAGE = "<!DOCTYPE html><html><head><title>{}</title></head></html>"


def gradio(config: dict[str, object], **more: Reply) -> Server:
    page = f"<!doctype html><html><script>window.gradio_config = {json.dumps(config)};</script></html>"
    return Server({"/": reply(200, page), "/config": as_json(config), **more})


KOBOLDCPP = Server(
    {
        "/": reply(200, PAGE.format("KoboldAI Lite")),
        "/api/extra/version": as_json({"result": "KoboldCpp", "version": "1.98.1", "protected": False}),
        "/api/version": as_json({"version": "0.7.0"}),
        "/ping": as_json({"status": "healthy"}),
        "/v1/models": as_json({"data": [{"id": "koboldcpp/x", "owned_by": "koboldcpp"}]}),
        "/props": as_json({"chat_template": "", "default_generation_settings": {"n_ctx": 4096}}),
        "/prompt": as_json({"exec_info": {"queue_remaining": 0}}),
        "/ws": reply(400, "no upgrade"),
        "ws:/ws": reply(101, KOBOLD_FRAME),
        "/system_stats": as_json(
            {
                "system": {
                    "comfyui_version": "v0.3.4-3-g7126ecf",
                    "python_version": "3.10.12",
                    "pytorch_version": "2.5.1",
                    "embedded_python": False,
                    "argv": [],
                },
                "devices": [{"name": "koboldcpp", "type": "cuda", "vram_total": 1, "torch_vram_total": 1}],
            }
        ),
    },
    reply(404, "Error: KoboldCpp HTTP Server is running, but this endpoint does not exist."),
)

#: id: (server, version)
LOOKALIKES: dict[str, tuple[Server, str | None]] = {
    "automatic1111": (
        gradio(
            gradio_config("Stable Diffusion", elem_ids=["txt2img_prompt"], texts=[FOOTER], version="3.41.2"),
            **{"/internal/ping": as_json({})},
        ),
        "v1.10.1",
    ),
    "sdnext": (
        gradio(
            gradio_config("SD.Next", elem_ids=["txt2img_prompt"], version="3.43.2"),
            **{"/internal/ping": as_json({})},
        ),
        None,
    ),
    "fooocus": (gradio(gradio_config("Fooocus 2.5.5", version="3.41.2")), "2.5.5"),
    "textgen": (gradio(gradio_config("Text Generation Web UI")), None),
    "vllm": (
        Server(
            {
                "/version": as_json({"version": "0.11.0"}),
                "/v1/models": as_json({"object": "list", "data": [{"id": "m", "owned_by": "vllm"}]}),
                "/health": reply(200, ""),
            }
        ),
        "0.11.0",
    ),
    "ollama": (
        Server(
            {"/": reply(200, "Ollama is running"), "/api/version": as_json({"version": "0.12.6"})},
            reply(404, "404 page not found"),
        ),
        "0.12.6",
    ),
    "llamacpp": (
        Server(
            {
                "/": reply(200, PAGE.format("llama.cpp"), server="llama.cpp"),
                "/props": reply(
                    200,
                    {"default_generation_settings": {}, "total_slots": 1, "build_info": "b6713-abc"},
                    server="llama.cpp",
                ),
                "/v1/models": reply(200, {"data": [{"owned_by": "llamacpp"}]}, server="llama.cpp"),
            },
            reply(404, {"error": {"code": 404, "message": "File Not Found"}}, server="llama.cpp"),
        ),
        "b6713-abc",
    ),
    "koboldcpp": (KOBOLDCPP, "1.98.1"),
    "lmstudio": (
        Server(
            {"/lmstudio-greeting": as_json({"lmstudio": True})},
            as_json({"error": "Unexpected endpoint or method. (GET /x)"}),
        ),
        None,
    ),
    "invokeai": (
        Server(
            {
                "/": reply(200, PAGE.format("Invoke - Community Edition")),
                "/api/v1/app/version": as_json({"version": "6.8.1"}),
            }
        ),
        "6.8.1",
    ),
    "swarmui": (Server({"/": reply(302, "", location="/Text2Image")}, reply(302, "", location="/Error/404")), None),
    "openwebui": (
        Server(
            {
                "/": reply(200, PAGE.format("Open WebUI")),
                "/api/config": as_json(
                    {"status": True, "name": "Studio (Open WebUI)", "version": "0.6.34", "features": {"auth": True}}
                ),
            },
            reply(200, PAGE.format("Open WebUI")),  # its page answers unknown paths
        ),
        "0.6.34",
    ),
    "tgi": (
        Server(
            {
                "/": reply(405, "", allow="POST"),
                "/info": as_json({"model_id": "m", "router": "r", "max_total_tokens": 4096, "version": "3.3.6"}),
            },
            EMPTY_404,
        ),
        "3.3.6",
    ),
    "triton": (
        Server(
            {"/v2": as_json({"name": "triton", "version": "2.61.0", "extensions": ["classification"]})},
            reply(400, ""),
        ),
        "2.61.0",
    ),
    "localai": (
        Server(
            {
                "/": reply(200, PAGE.format("LocalAI")),
                "/.well-known/localai.json": as_json({"version": "v4.9.0", "endpoints": {}, "capabilities": {}}),
                "/version": as_json({"version": "v4.9.0"}),
                "/api/version": as_json({"version": "0.9.0"}),
            },
            as_json({"error": {"code": 404, "message": "Not Found"}}, 404),
        ),
        "v4.9.0",
    ),
    "sglang": (
        Server(
            {
                "/": as_json("SGLang is running"),
                "/model_info": as_json({"model_path": "/models/m", "is_generation": True}),
                "/v1/models": as_json({"data": [{"owned_by": "sglang"}]}),
            }
        ),
        None,
    ),
    "gradio": (gradio(gradio_config("My pictures", version="5.49.1")), "5.49.1"),
}


def test_every_lookalike_is_tried() -> None:
    assert set(LOOKALIKES) == {kind.id for kind in BUILTIN} - set(FIVE)


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalike_is_itself_everywhere(name: str) -> None:
    server, version = LOOKALIKES[name]
    kind = get(BUILTIN, name)
    assert kind is not None
    for port in (*kind.ports, *PORTS_OF_THE_FIVE, 9999):
        for claimed in (None, name, *FIVE):
            finding = identify(server, port, claimed).finding
            assert (finding.kind, finding.version, finding.status) == (name, version, Status.ONLINE)
            assert finding.capabilities == kind.capabilities


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalike_tells_no_path(name: str) -> None:
    properties = identify(LOOKALIKES[name][0], 9999).properties
    assert not any(str(value).startswith("/") for value in properties.values())


def test_a_gradio_app_tells_its_title() -> None:
    assert identify(LOOKALIKES["gradio"][0], 7860).properties == {"title": "My pictures"}


# The traps


@pytest.mark.parametrize("port", [8188, 5001, 9999])
def test_koboldcpp_with_a_password_is_locked(port: int) -> None:
    protected = as_json({"result": "KoboldCpp", "version": "1.98.1", "protected": True})
    server = replace(KOBOLDCPP, replies={**KOBOLDCPP.replies, "/api/extra/version": protected})
    assert identify(server, port, "comfyui").finding.status is Status.LOCKED


def test_koboldcpp_is_not_comfyui_by_its_socket_alone() -> None:
    """Even if it gives up the constant session id: it still says its name."""
    without = {path: r for path, r in KOBOLDCPP.replies.items() if path != "/system_stats"}
    server = replace(KOBOLDCPP, replies=without | {"ws:/ws": reply(101, COMFYUI_FRAME)})
    assert identify(server, 8188, "comfyui").finding.kind == "koboldcpp"


@pytest.mark.parametrize("frame", ["", "hello", '{"janus": "success"}', "[]", '{"type": "status"}'])
def test_an_upgrade_alone_is_not_comfyui(frame: str) -> None:
    """Janus WebRTC listens at 8188 and takes the upgrade."""
    server = Server({"ws:/ws": reply(101, frame), "/ws": reply(400, "")}, EMPTY_404)
    assert identify(server, 8188, "comfyui").finding.kind is None


@pytest.mark.parametrize(("port", "refusal"), [(8188, 404), (9999, 400), (9999, 426)])
def test_a_wrapper_with_comfyuis_socket_is_comfyui(port: int, refusal: int) -> None:
    server = Server({"ws:/ws": reply(101, COMFYUI_FRAME), "/ws": reply(refusal, "")}, EMPTY_404)
    result = identify(server, port)
    assert (result.finding.kind, result.finding.status) == ("comfyui", Status.ONLINE)
    assert result.properties == {"queue": 3}


def test_stable_diffusion_as_a_title_is_not_automatic1111() -> None:
    by_title = gradio(gradio_config("Stable Diffusion"))
    assert identify(by_title, 7860).finding.kind == "gradio"
    without_ping = gradio(gradio_config("Stable Diffusion", elem_ids=["txt2img_prompt"]))
    assert identify(without_ping, 7860).finding.kind == "gradio"


def test_fooocus_at_rvcs_port_costs_one_request() -> None:
    result = identify(LOOKALIKES["fooocus"][0], 7865)
    assert result.asked == ("/config",)


@pytest.mark.parametrize("status", [200, 401, 404, 405, 500, 503])
@pytest.mark.parametrize("port", [8000, 8188, 7860, 4000, 7865, 7863])
@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"status": "ok"}', "OK", PAGE.format("x")])
def test_a_status_proves_nothing(status: int, port: int, body: str) -> None:
    """Servers that give one answer to everything: FastAPI's health pages, single-page apps, proxies."""
    assert identify(Server({}, reply(status, body)), port).finding.kind is None


def test_an_error_with_status_200_proves_nothing() -> None:
    """LM Studio's answer to unknown paths; without its greeting it is nobody."""
    server = Server({}, LOOKALIKES["lmstudio"][0].otherwise)
    for kind in BUILTIN:
        for port in kind.ports:
            assert identify(server, port, kind.id).finding.kind is None


def test_vllm_is_more_than_a_version() -> None:
    server = Server({"/version": as_json({"version": "0.11.0"}), "/v1/models": as_json({"data": []})})
    assert identify(server, 8000).finding.kind is None


def test_vllm_with_a_key_is_locked() -> None:
    refused = as_json({"error": "Unauthorized"}, 401)
    server = Server({"/version": as_json({"version": "0.11.0"}), "/v1/models": refused})
    finding = identify(server, 8000).finding
    assert (finding.kind, finding.status) == ("vllm", Status.LOCKED)


def test_ollamas_version_alone_is_not_ollama() -> None:
    server = Server({"/api/version": as_json({"version": "0.12.6"})})
    assert identify(server, 11434).finding.kind is None


def test_sglang_with_ollamas_greeting_is_not_ollama() -> None:
    info = as_json({"model_path": "m", "is_generation": True})
    server = Server({"/": as_json("Ollama is running"), "/model_info": info})
    assert identify(server, 30000).finding.kind == "sglang"
    assert identify(server, 11434).finding.kind is None


def test_llamacpp_is_starting_while_the_model_loads() -> None:
    loading = reply(503, {"error": {"code": 503, "message": "Loading model"}}, server="llama.cpp")
    for port in (8080, 8000):
        finding = identify(Server({}, loading), port).finding
        assert (finding.kind, finding.status) == ("llamacpp", Status.STARTING)


def test_llamacpp_with_a_key_is_locked() -> None:
    refused = reply(401, {"error": {"message": "Invalid API Key"}}, server="llama.cpp")
    server = Server({"/": reply(200, PAGE.format("llama.cpp"), server="llama.cpp")}, refused)
    finding = identify(server, 8080).finding
    assert (finding.kind, finding.status) == ("llamacpp", Status.LOCKED)


def test_a_redirect_elsewhere_is_not_swarmui() -> None:
    assert identify(Server({}, reply(302, "", location="/login")), 7801).finding.kind is None


def test_another_kserve_server_is_not_triton() -> None:
    mlserver = as_json({"name": "mlserver", "version": "1.6", "extensions": []})
    assert identify(Server({"/v2": mlserver}), 8000).finding.kind is None


def test_old_localai_names_itself_on_its_index() -> None:
    server = Server(
        {"/": reply(200, PAGE.format("LocalAI API - v2.16.0")), "/version": as_json({"version": "v2.16.0"})}
    )
    finding = identify(server, 8080).finding
    assert (finding.kind, finding.version) == ("localai", "v2.16.0")


def test_textgens_api_without_its_page() -> None:
    server = Server({"/v1/internal/model/info": as_json({"model_name": "m", "lora_names": []})})
    assert identify(server, 5000).finding.kind == "textgen"


# Gradio


def test_wan2gp_by_an_early_heading() -> None:
    heading = "<div align=center><H1>Wan 2.1<SUP>GP</SUP> v3.4 <FONT SIZE=4>by <I>DeepBeepMeep</I></FONT></H1></div>"
    finding = identify(gradio(gradio_config(texts=[heading], version="5.9.1")), 7860).finding
    assert (finding.kind, finding.version) == ("wan2gp", "3.4")


def test_another_program_of_wan2gps_author_is_not_wan2gp() -> None:
    heading = "<div align=center><H1>HunyuanVideo<SUP>GP</SUP> v5.0 by <I>DeepBeepMeep</I></H1></div>"
    assert identify(gradio(gradio_config(texts=[heading])), 7860).finding.kind == "gradio"


def test_wan2gp_by_its_elements() -> None:
    both = gradio(gradio_config("Films", elem_ids=["queue_html_container", "wangp_gallery"]))
    assert identify(both, 9999).finding.kind == "wan2gp"
    one = gradio(gradio_config("Films", elem_ids=["queue_html_container"]))
    assert identify(one, 9999).finding.kind == "gradio"


def test_rvc_by_its_functions_whatever_its_title() -> None:
    config = gradio_config("RVC 变声器", api_names=["infer_refresh", "infer_convert", "infer_change_voice"])
    assert identify(gradio(config), 7866).finding.kind == "rvc"
    other = gradio_config("Voices", api_names=["infer_convert"])
    assert identify(gradio(other), 7865).finding.kind == "gradio"


RVC_PARAMS = dict.fromkeys(
    ("f0method", "f0up_key", "index_rate", "filter_radius", "resample_sr", "rms_mix_rate", "protect"), 0
)


@pytest.mark.parametrize("port", [5050, 9999])
def test_rvc_python_by_its_parameters(port: int) -> None:
    assert identify(Server({"/params": as_json(RVC_PARAMS)}), port).finding.kind == "rvc"
    assert identify(Server({"/params": as_json(RVC_PARAMS | {"more": 1})}), port).finding.kind is None


def test_audioldm2_by_its_heading_and_by_its_checkpoints() -> None:
    heading = "AudioLDM 2: A General Framework for Audio, Music, and Speech Generation"
    result = identify(gradio(gradio_config(texts=[heading])), 7860)
    assert (result.finding.kind, result.properties["model"]) == ("audioldm", "AudioLDM 2")
    config = gradio_config()
    config["components"] = [{"props": {"choices": ["audioldm2-full", "audioldm2-music-665k", "other"]}}]
    assert identify(gradio(config), 7860).finding.kind == "audioldm"
    config["components"] = [{"props": {"choices": ["audioldm2-full", "other"]}}]
    assert identify(gradio(config), 7860).finding.kind == "gradio"


@pytest.mark.parametrize("port", [7865, 7860, 9999])
def test_behind_a_login_functions_still_tell_the_app(port: int) -> None:
    server = gradio_login(["infer_convert", "infer_change_voice", "train_start_all"])
    finding = identify(server, port).finding
    assert (finding.kind, finding.family, finding.status) == ("rvc", "gradio", Status.LOCKED)


@pytest.mark.parametrize(("title", "kind"), [("WanGP", "wan2gp"), ("RVC WebUI", "rvc"), ("SD.Next", "sdnext")])
def test_behind_a_login_the_manifest_still_tells_the_app(title: str, kind: str) -> None:
    for port in (7860, 9999):
        finding = identify(gradio_login(manifest=title), port).finding
        assert (finding.kind, finding.status) == (kind, Status.LOCKED)


def test_behind_a_login_any_other_app_is_gradio_with_its_title() -> None:
    result = identify(gradio_login(["predict"], manifest="My pictures"), 9999)
    assert (result.finding.kind, result.finding.status) == ("gradio", Status.LOCKED)
    assert result.properties == {"title": "My pictures"}


# Wrappers: the mission's health endpoints

WRAPPERS = {
    "wan2gp": ("/api/health", "Wan2GP API"),
    "rvc": ("/api/status", "RVC"),
    "audioldm": ("/api/ready", "AudioLDM2"),
}


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("port", [7860, 7863, 7865, 8000, 9999])
def test_a_wrapper_that_names_itself(name: str, port: int) -> None:
    path, service = WRAPPERS[name]
    told = {"status": "ok", "service": service, "version": "1.2", "gpu": "RTX 4090", "vram_mib": 24564, "queue": 0}
    result = identify(Server({path: as_json(told)}), port)
    assert (result.finding.kind, result.finding.version) == (name, "1.2")
    assert result.properties == {"gpu": "RTX 4090", "vram_mib": 24564, "queue": 0}
    if port == (get(BUILTIN, name) or BUILTIN[0]).ports[0]:
        assert result.gets <= 8


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize(
    ("http", "state", "status"),
    [
        (200, "ok", Status.ONLINE),
        (200, "loading", Status.STARTING),
        (200, "Busy", Status.BUSY),
        (503, "loading", Status.STARTING),
        (503, "busy", Status.BUSY),
        (503, "?", Status.STARTING),
        (429, "?", Status.BUSY),
        (401, "?", Status.LOCKED),
    ],
)
def test_what_a_wrapper_says_of_itself(name: str, http: int, state: str, status: Status) -> None:
    path, service = WRAPPERS[name]
    server = Server({path: as_json({"status": state, "service": service}, http)})
    finding = identify(server, 9999, name).finding
    assert (finding.kind, finding.status) == (name, status)


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("service", ["", "other", "Wang Photos", "servervc", "audioldmx"])
def test_a_health_page_that_names_another_is_not_the_wrapper(name: str, service: str) -> None:
    path, _ = WRAPPERS[name]
    assert identify(Server({path: as_json({"status": "ok", "service": service})}), 7860, name).finding.kind is None


def test_a_wrapper_inside_a_gradio_app() -> None:
    told = as_json({"status": "ok", "service": "wan2gp"})
    server = gradio(gradio_config("My films"), **{"/api/health": told})
    assert identify(server, 7860).finding.kind == "wan2gp"
    assert identify(server, 9999, "wan2gp").finding.kind == "wan2gp"


# ComfyUI and LiteLLM


def comfyui(version: object, device: dict[str, object], queue: int = 0) -> Server:
    system: dict[str, object] = {"python_version": "3.12", "pytorch_version": "2.8", "embedded_python": True}
    stats = {"system": system | {"comfyui_version": version, "argv": ["/home/x"]}, "devices": [device]}
    return Server(
        {"/system_stats": as_json(stats), "/prompt": as_json({"exec_info": {"queue_remaining": queue}})}, EMPTY_404
    )


RTX = {
    "name": "cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync",
    "type": "cuda",
    "index": 0,
    "vram_total": 24564 * 2**20,
    "torch_vram_total": 24564 * 2**20,
}


def test_comfyui_tells_its_card_and_its_queue() -> None:
    result = identify(comfyui("0.3.64", RTX, queue=2), 8000)
    assert result.properties == {"gpu": "NVIDIA GeForce RTX 4090", "vram_mib": 24564, "queue": 2}
    assert (result.finding.version, result.finding.status) == ("0.3.64", Status.ONLINE)


@pytest.mark.parametrize(("queue", "status"), [(9, Status.ONLINE), (10, Status.BUSY)])
def test_comfyui_is_busy_behind_ten(queue: int, status: Status) -> None:
    assert identify(comfyui("0.3.64", RTX, queue), 8188).finding.status is status


@pytest.mark.parametrize("version", ["unknown", None, 7.5, ["x"]])
def test_comfyui_of_an_unknown_version(version: object) -> None:
    finding = identify(comfyui(version, RTX), 8188).finding
    assert (finding.kind, finding.version) == ("comfyui", None)


def test_a_card_of_another_maker() -> None:
    assert identify(comfyui("1", RTX | {"name": "mps", "type": "mps"}), 8188).properties["gpu"] == "mps"


@pytest.mark.parametrize("port", [4000, 8000, 9999])
@pytest.mark.parametrize(
    ("path", "content", "version"),
    [
        ("/public/model_hub/info", {"docs_title": "x", "litellm_version": "1.80.0"}, "1.80.0"),
        ("/.well-known/litellm-ui-config", {"server_root_path": "/", "proxy_base_url": None}, "1.40.1"),
        ("/health/liveliness", "I'm alive!", "1.40.1"),
    ],
)
def test_litellm_of_any_age(port: int, path: str, content: object, version: str) -> None:
    readiness = as_json({"status": "healthy", "litellm_version": "1.40.1"})
    result = identify(Server({path: as_json(content), "/health/readiness": readiness}), port)
    assert (result.finding.kind, result.finding.version) == ("litellm", version)
    assert "/health" not in result.asked


def test_litellm_by_its_health_is_not_looked_for() -> None:
    paid = as_json({"healthy_endpoints": [{"model": "m"}], "unhealthy_endpoints": []})
    result = identify(Server({"/health": paid}), 4000, "litellm")
    assert result.finding.kind is None and "/health" not in result.asked


def test_the_recorded_rvc_needs_no_label() -> None:
    """Labels are translated; the recording's title and functions are enough."""
    assert identify(recorded("rvc-webui.gradio-3.50.2"), 7897).asked == ("/config",)
