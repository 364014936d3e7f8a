"""Gradio 3 and 5: the pages that every Gradio program has, with and without a login."""

from __future__ import annotations

import functools
import html
import importlib.resources
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from hybridisco.testing.backends import fastapi
from hybridisco.testing.replies import HTML, Options, Reply, Request, wrapper_health

SERVER: Final = "uvicorn"

JsonObject: TypeAlias = dict[str, Any]

_HEAD: Final = '<meta property="og:title" content="{}" />'
_PAGE: Final = """\
<!doctype html>
<html lang="en">
	<head>
		<meta charset="utf-8" />
		{head}
		{scripts}
	</head>
	<body><gradio-app control_page_title="true" embed="false" eager="true"></gradio-app></body>
</html>"""


@dataclass(frozen=True, slots=True)
class App:
    """One Gradio program.

    Args:
        kind: the backend's name, and of its data file.
        major: Gradio's major version, 3 or 5.
        health_path: where the wrapper flavour tells its health.
        wrapper_version: the version a wrapper tells by default.
        adapt: writes the options into the recorded config; None when the title is all there is.
    """

    kind: str
    major: int
    health_path: str
    wrapper_version: str
    adapt: Callable[[JsonObject, Options], None] | None = None

    def answer(self, request: Request, options: Options) -> Reply:
        """Answer as the program, or as a wrapper around it."""
        if options.flavour == "wrapper":
            health = wrapper_health(self.kind, self.wrapper_version, options)
            pages = {self.health_path: fastapi.json_reply(health)}
            return fastapi.signed(fastapi.serve(request, pages), SERVER)
        return self._serve(request, options, login=False)

    def locked(self, request: Request, options: Options) -> Reply:
        """Answer as the program when it was started with a login."""
        if options.flavour == "wrapper":
            return fastapi.signed(fastapi.wrapper_locked(request, options), SERVER)
        return self._serve(request, options, login=True)

    def _serve(self, request: Request, options: Options, *, login: bool) -> Reply:
        if self.major == 3 and _is_api_call(request.path) and not request.wants_websocket:
            return fastapi.signed(_api_call(request), SERVER)
        config, info = self._config(request, options)
        pages = _pages(self.major, config, info, login=login)
        return fastapi.signed(fastapi.serve(request, pages, with_head=("/",)), SERVER)

    def _config(self, request: Request, options: Options) -> tuple[JsonObject, JsonObject]:
        data: JsonObject = json.loads(_data(self.kind))
        config: JsonObject = data["config"]
        if options.title is not None:
            config["title"] = options.title
        if self.adapt is not None:
            self.adapt(config, options)
        # Gradio 5 repeats the address it was called by; Gradio 3 leaves this empty.
        config["root"] = f"http://{request.host}" if self.major >= 5 else ""
        return config, data["info"]


@functools.cache
def _data(kind: str) -> str:
    folder = importlib.resources.files("hybridisco.testing.backends") / "data"
    return (folder / f"{kind}.json").read_text(encoding="utf-8")


def _pages(major: int, config: JsonObject, info: JsonObject, *, login: bool) -> dict[str, Reply]:
    prefix = "" if major == 3 else "/gradio_api"
    config_reply, info_reply = fastapi.json_reply(config), fastapi.json_reply(info)
    if login:
        config_reply = info_reply = _not_authenticated(major)
    pages = {
        "/": Reply(200, _index(major, config, info, login=login).encode(), HTML),
        "/config": config_reply,
        f"{prefix}/info": info_reply,
        f"{prefix}/app_id": fastapi.json_reply({"app_id": config["app_id"]}),  # open even behind a login
    }
    if major >= 5:
        pages["/manifest.json"] = fastapi.json_reply({"detail": "PWA not enabled."}, 404)
    return pages


def _not_authenticated(major: int) -> Reply:
    said = "Not authenticated"
    return fastapi.json_reply({"detail": said if major == 3 else {"error": said, "auth_message": None}}, 401)


def _index(major: int, config: JsonObject, info: JsonObject, *, login: bool) -> str:
    """The page a browser opens. Gradio 5 sends two titles, its own and then the program's, and the API."""
    shown = config if major == 3 else config | {"deep_link_state": "none", "current_page": ""}
    title = str(config["title"])
    if login:
        shown, title = _login_config(major, config), ""
    heads = [_HEAD.format(html.escape(title))]
    scripts = [_script("gradio_config", shown)]
    if major >= 5:
        heads.insert(0, _HEAD.format("Gradio"))
        scripts.append(_script("gradio_api_info", info))
    return _PAGE.format(head="\n\t\t".join(heads), scripts="".join(scripts))


def _login_config(major: int, config: JsonObject) -> JsonObject:
    login: JsonObject = {"auth_required": True, "auth_message": None, "space_id": None, "root": config["root"]}
    if major == 3:
        return login
    return login | {
        "page": {"": {"layout": {}}},
        "pages": [""],
        "components": [],
        "dependencies": [],
        "current_page": "",
    }


def _script(name: str, value: object) -> str:
    """A value for the browser. `<`, `>`, `&` and `'` are escaped so that no text in it can end the script."""
    text = json.dumps(value, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"<script>window.{name} = {text};</script>"


def _is_api_call(path: str) -> bool:
    name = path.removeprefix("/api/").rstrip("/")
    return path.startswith("/api/") and bool(name) and "/" not in name


def _api_call(request: Request) -> Reply:
    """Gradio 3 has one route for every `/api/<name>`, real or not: a GET never gets as far as the name."""
    if request.method != "POST":
        return fastapi.method_not_allowed("POST")
    missing = {"loc": ["body"], "msg": "field required", "type": "value_error.missing"}
    return fastapi.json_reply({"detail": [missing]}, 422)
