"""ComfyUI 0.3.x: aiohttp, a WebSocket that greets with `status`, and a guard against foreign web pages."""

from __future__ import annotations

import json
import uuid
from typing import Final
from urllib.parse import urlsplit

from hybridisco.testing.backends.backend import Backend
from hybridisco.testing.replies import HTML, TEXT, Answer, Greeting, Options, Reply, Request

SERVER: Final = "Python/3.11 aiohttp/3.14.5"
VERSION: Final = "0.3.64"
BUSY_QUEUE: Final = 100  # far over what any prober takes for an ordinary queue

_JSON: Final = "application/json; charset=utf-8"
_MIB: Final = 1024 * 1024
_RAM: Final = 24105 * _MIB  # of the machine in the recording
_GPU: Final = "NVIDIA GeForce RTX 4090"
_GPU_VRAM_MIB: Final = 24564
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), _JSON, SERVER)


def _text(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    return Reply(status, text.encode(), TEXT, SERVER, headers)


# The frontend's folder is served at `/`, so an unknown path is "no such file": no JSON, no length, no words.
_NOT_FOUND: Final = Reply(404, b"", "application/octet-stream", SERVER, chunked=True)
_FORBIDDEN: Final = Reply(403, b"", "application/octet-stream", SERVER)
_NOT_ALLOWED: Final = _text(405, "405: Method Not Allowed", ("Allow", "GET,HEAD"))
_NO_UPGRADE: Final = _text(400, 'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".')
_NO_PROMPT: Final = {
    "type": "no_prompt",
    "message": "No prompt provided",
    "details": "No prompt provided",
    "extra_info": {},
}


def answer(request: Request, options: Options) -> Answer:
    """Answer as ComfyUI; the wrapper flavour has the WebSocket alone, as the mission describes it."""
    if _is_foreign(request):
        return _FORBIDDEN
    # Upstream registers each of its routes a second time under /api.
    path = request.path.removeprefix("/api")
    if path == "/ws" and request.method in ("GET", "HEAD"):
        return _greeting(request, options) if request.wants_websocket else _NO_UPGRADE
    if options.flavour == "wrapper":
        return _NOT_FOUND
    if request.method == "POST" and path == "/prompt":
        return _json({"error": _NO_PROMPT, "node_errors": {}}, 400)  # a mock makes no pictures
    if request.method not in ("GET", "HEAD"):
        return _NOT_ALLOWED
    return _page(path, request.path, options)


def _page(path: str, whole_path: str, options: Options) -> Reply:
    match path:
        case "/system_stats":
            return _json(_system_stats(options))
        case "/prompt":
            return _json(_exec_info(options))
        case "/queue":
            return _json(_queue(options))
        case "/features":
            return _json({"supports_preview_metadata": True, "max_upload_size": 100 * _MIB})
    if whole_path == "/":
        page = f"<!DOCTYPE html><title>{options.title or 'ComfyUI'}</title><p>A mock of ComfyUI."
        return Reply(200, page.encode(), HTML, SERVER, (("Cache-Control", "no-cache"),))
    return _NOT_FOUND


def _is_foreign(request: Request) -> bool:
    """Whether a web page from elsewhere is behind the request.

    Upstream refuses an Origin that is not the Host, when the Host is this machine. Ports count only when
    both sides name one.
    """
    origin_header = request.headers.get("origin")
    if not origin_header:
        return False
    try:
        host, origin = urlsplit(f"//{request.host}"), urlsplit(origin_header)
        host_port, origin_port = host.port, origin.port
    except ValueError:
        return True  # not an address at all
    if host.hostname not in _LOOPBACK or not origin.hostname:
        return False
    if host.hostname != origin.hostname:
        return True
    return None not in (host_port, origin_port) and host_port != origin_port


def _greeting(request: Request, options: Options) -> Greeting:
    # A client that names itself is taken at its word: this is how one client can take another's socket.
    sid = request.query.get("clientId") or uuid.uuid4().hex
    status = {"type": "status", "data": {"status": _exec_info(options), "sid": sid}}
    return Greeting((json.dumps(status),), SERVER)


def _exec_info(options: Options) -> dict[str, object]:
    return {"exec_info": {"queue_remaining": options.queue}}


def _queue(options: Options) -> dict[str, object]:
    # number, prompt id, workflow, extra data, output nodes; the first one runs, the others wait
    jobs = [[number, str(uuid.UUID(int=number)), {}, {}, []] for number in range(options.queue)]
    return {"queue_running": jobs[:1], "queue_pending": jobs[1:]}


def _system_stats(options: Options) -> dict[str, object]:
    return {
        "system": {
            "os": "posix",
            "ram_total": _RAM,
            "ram_free": _RAM - 1024 * _MIB,
            "comfyui_version": options.version or VERSION,
            "required_frontend_version": "1.27.10",
            "installed_templates_version": "0.1.95",
            "required_templates_version": "0.1.95",
            "python_version": "3.11.7 (main, Jan  1 2026, 00:00:00) [GCC 12.2.0]",
            "pytorch_version": "2.13.0+cpu",
            "embedded_python": False,
            "argv": ["main.py", "--port", "8188", "--listen", "127.0.0.1"],
        },
        "devices": [_device(options)],
    }


def _device(options: Options) -> dict[str, object]:
    named: dict[str, object]
    if options.gpu is None and options.vram_mib is None:
        total, named = _RAM, {"name": "cpu", "type": "cpu", "index": None}
    else:
        total = (options.vram_mib or _GPU_VRAM_MIB) * _MIB
        named = {"name": f"cuda:0 {options.gpu or _GPU} : cudaMallocAsync", "type": "cuda", "index": 0}
    return named | {
        "vram_total": total,
        "vram_free": total - total // 20,
        "torch_vram_total": total,
        "torch_vram_free": total - total // 20,
    }


def _locked(request: Request, options: Options) -> Reply:
    """ComfyUI knows no login: who wants one puts a proxy in front, and that answers instead."""
    title = "401 Authorization Required"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(401, page.encode(), "text/html", "nginx", (("WWW-Authenticate", 'Basic realm="ComfyUI"'),))


BACKEND: Final = Backend(
    kind="comfyui",
    answer=answer,
    locked=_locked,
    mistaken_for="litellm",  # ComfyUI Desktop and older LiteLLM share port 8000
    server=SERVER,
    crash=_text(500, "500 Internal Server Error\n\nServer got itself in trouble"),
    busy_queue=BUSY_QUEUE,
)
