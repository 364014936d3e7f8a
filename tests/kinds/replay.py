"""Plays recorded and hand-made servers against the identification, without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridisco.core.conditions import Reply
from hybridisco.core.fingerprint import Identification, read_json
from hybridisco.core.kind import Kind
from hybridisco.core.model import Finding
from hybridisco.kinds import BUILTIN

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
FASTAPI_404 = Reply("", 404, (("server", "uvicorn"),), '{"detail":"Not Found"}')
COMFYUI_FRAME = json.dumps(
    {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 3}}, "sid": "0123456789abcdef" * 2}}
)
_MOST_ROUNDS = 40


@dataclass(frozen=True)
class Server:
    """What a server answers: replies by request, and one for everything else."""

    replies: Mapping[str, Reply]
    otherwise: Reply = FASTAPI_404

    def answer(self, request: str) -> Reply:
        reply = self.replies.get(request, self.otherwise)
        return read_json(Reply(request, reply.status, reply.headers, reply.body, reply.error, 1.0))


@dataclass(frozen=True)
class Result:
    """What was found, and what was asked for that, in order."""

    finding: Finding
    asked: tuple[str, ...]

    @property
    def gets(self) -> int:
        return sum(not request.startswith("ws:") for request in self.asked)

    @property
    def properties(self) -> dict[str, str | int | float | bool]:
        return dict(self.finding.properties)


def reply(status: int, content: object = "", **headers: str) -> Reply:
    """A reply with text, or with anything else as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    return Reply("", status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), text)


def as_json(content: object, status: int = 200) -> Reply:
    """A reply whose body is JSON, also of a string."""
    return Reply("", status, (), json.dumps(content))


def recorded(name: str) -> Server:
    """The server of a recording. What was not recorded it answers in the style of its 404."""
    entries = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["replies"]
    replies = {
        entry["path"]: Reply(entry["path"], entry["status"], tuple(entry["headers"].items()), entry["body"])
        for entry in entries
    }
    missing = (entry for entry in reversed(replies.values()) if entry.status == 404)
    return Server(replies, next(missing, FASTAPI_404))


def identify(server: Server, port: int, claimed: str | None = None, kinds: Sequence[Kind] = BUILTIN) -> Result:
    """Identify ``server`` at ``port``, and check what must hold of every identification."""
    identification = Identification(kinds, port, claimed)
    asked: list[str] = []
    for _ in range(_MOST_ROUNDS):
        wanted = identification.wanted()
        if not wanted:
            return Result(identification.finding(), tuple(asked))
        assert not set(wanted) & set(asked), "each request is made at most once"
        assert len(set(wanted)) == len(wanted) <= 6
        asked += wanted
        for request in wanted:
            identification.feed(server.answer(request))
    raise AssertionError(f"no end after {asked}")


def gradio_config(
    title: str = "Gradio",
    *,
    texts: Iterable[str] = (),
    elem_ids: Iterable[str] = (),
    api_names: Iterable[str] = (),
    version: str = "4.44.1",
) -> dict[str, object]:
    """The `/config` of a Gradio app."""
    components: list[dict[str, object]] = [
        {"id": number, "type": "html", "props": {"value": text}} for number, text in enumerate(texts)
    ]
    components += [{"id": 100, "type": "textbox", "props": {"elem_id": elem_id}} for elem_id in elem_ids]
    dependencies = [{"api_name": name} for name in api_names]
    return {"version": version, "components": components, "title": title, "dependencies": dependencies}


def gradio_login(api_names: Iterable[str] = (), manifest: str | None = None) -> Server:
    """A Gradio app behind a login: 5.x, or 6.x with a ``manifest`` name."""
    stub = json.dumps({"auth_required": True, "auth_message": None, "components": [], "dependencies": []})
    api = json.dumps({"named_endpoints": {f"/{name}": {} for name in api_names}, "unnamed_endpoints": {}})
    page = (
        f"<!doctype html><html><script>window.gradio_config = {stub};</script>"
        f"<script>window.gradio_api_info = {api};</script></html>"
    )
    replies = {"/": reply(200, page), "/config": reply(401, {"detail": "Not authenticated"})}
    if manifest is not None:
        replies["/manifest.json"] = reply(200, {"name": manifest, "start_url": "./"})
    return Server(replies)
