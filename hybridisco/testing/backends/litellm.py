"""LiteLLM's proxy: open pages that name it, a key before all else, and calls that cost money.

`GET /health` looks harmless and is not: the real proxy then sends a paid completion to every model it has.
"""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Final

from hybridisco.testing.backends import fastapi
from hybridisco.testing.backends.backend import Backend
from hybridisco.testing.replies import HTML, TEXT, Options, Reply, Request, json_bytes, wrapper_health

VERSION: Final = "1.106.2"  # what the recorded proxy says of itself

_HEADERS: Final = (
    ("Vary", "Origin"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
)
_UI_CONFIG: Final[dict[str, object]] = {
    "server_root_path": "",
    "proxy_base_url": None,
    "auto_redirect_to_sso": False,
    "admin_ui_disabled": False,
    "sso_configured": False,
    "hide_default_credentials_hint": False,
    "is_control_plane": False,
    "mcp_stdio_enabled": False,
    "workers": [],
}
_MODELS: Final = ("/v1/models", "/models")
_INFERENCE: Final = frozenset(
    prefix + path
    for prefix in ("", "/v1")
    for path in ("/chat/completions", "/completions", "/embeddings", "/images/generations", "/audio/speech")
)


def answer(request: Request, options: Options) -> Reply:
    """Answer as the proxy; the wrapper flavour has only a `/health` that names the service, and is free."""
    if options.flavour == "wrapper":
        health = fastapi.json_reply(wrapper_health("litellm", VERSION, options))
        return fastapi.signed(fastapi.serve(request, {"/health": health}), "uvicorn")
    if request.path == "/health" or request.path in _MODELS or request.path in _INFERENCE:
        reply = _guarded(request, options)
    else:
        reply = fastapi.serve(request, _public_pages(options))
    if reply.status == 500:
        return reply  # a crash gets past the code that adds the headers
    return replace(reply, headers=reply.headers + _HEADERS)


def _public_pages(options: Options) -> dict[str, Reply]:
    title = options.title or "LiteLLM API"
    hub: dict[str, object] = {
        "docs_title": title,
        "custom_docs_description": None,
        "litellm_version": options.version or VERSION,
        "useful_links": {},
    }
    page = (
        f"<!DOCTYPE html>\n<html>\n<head>\n<title>{html.escape(title)} - Swagger UI</title>\n</head>\n"
        '<body>\n<div id="swagger-ui">\n</div>\n</body>\n</html>\n'
    )
    return {
        "/": Reply(200, page.encode(), HTML),
        "/public/model_hub/info": fastapi.json_reply(hub),
        "/.well-known/litellm-ui-config": fastapi.json_reply(_UI_CONFIG),
        "/health/liveliness": fastapi.json_reply("I'm alive!"),
        "/health/liveness": fastapi.json_reply("I'm alive!"),  # upstream has both spellings
        "/health/readiness": fastapi.json_reply({"status": "healthy", "db": "Not connected"}),
    }


def _guarded(request: Request, options: Options) -> Reply:
    """The paths behind the key."""
    inference = request.path in _INFERENCE
    if request.method != ("POST" if inference else "GET"):
        return fastapi.method_not_allowed("POST" if inference else "GET")
    if options.auth == "key":
        return _no_key()
    if options.auth == "broken":
        # The check of the key itself fails: its database package is not installed.
        return Reply(500, b"Internal Server Error", TEXT, chunked=True)
    if inference:
        return _error(400, "invalid_request_error", "This is a mock: it makes no completions.")
    if request.path == "/health":
        return fastapi.json_reply(
            {
                "healthy_endpoints": [{"model": "openai/gpt-4o"}],
                "unhealthy_endpoints": [],
                "healthy_count": 1,
                "unhealthy_count": 0,
            }
        )
    model = {"id": "gpt-4o", "object": "model", "created": 1677610602, "owned_by": "openai"}
    return fastapi.json_reply({"data": [model], "object": "list"})


def _error(status: int, kind: str, message: str) -> Reply:
    """OpenAI's error object, the way LiteLLM fills it: the code is a string."""
    error = {"message": message, "type": kind, "param": "None", "code": str(status)}
    return Reply(status, json_bytes({"error": error}))


def _no_key() -> Reply:
    return _error(401, "auth_error", "Authentication Error, No api key passed in.")


def _locked(request: Request, options: Options) -> Reply:
    """The open pages are closed as well, as by a proxy that checks the key first."""
    return replace(_no_key(), headers=_HEADERS)


def _is_paid(request: Request, options: Options) -> bool:
    if options.flavour == "wrapper":
        return False
    return request.path == "/health" or (request.method == "POST" and request.path in _INFERENCE)


BACKEND: Final = Backend(
    kind="litellm",
    answer=answer,
    locked=_locked,
    mistaken_for="comfyui",  # ComfyUI Desktop takes port 8000
    is_paid=_is_paid,
)
