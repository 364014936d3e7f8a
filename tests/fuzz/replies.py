"""Replies of a server, up to what they prove: the real kinds ask, and nothing of HTTP is in the way.

The first piece is ``PORT KIND``, the kind that is claimed; each other is a request, a status, headers, and after an
empty line the body.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from hybridisco.core.conditions import NOT_JSON, Reply, parse_json, values
from hybridisco.core.gradio import page
from hybridisco.kinds import BUILTIN
from hybridisco.sources.probe import BODY_LIMIT, _decompress
from tests.fuzz import bounds, parts
from tests.fuzz.words import words
from tests.kinds import replay

_PIECES = 12
REQUESTS = sorted(
    {step.request for kind in BUILTIN for proof in (*kind.proofs, *kind.opt_in) for step in proof.steps}
    | {fact.request for kind in BUILTIN for fact in kind.facts}
)
_POINTERS = sorted({fact.pointer for kind in BUILTIN for fact in kind.facts})
WORDS = (
    *(f"{request}\n200\n\n".encode() for request in REQUESTS),
    *(f'"{part}":'.encode() for part in sorted({part for pointer in _POINTERS for part in pointer.split(".")} - {""})),
    *(kind.id.encode() for kind in BUILTIN),
    *words(
        r"""
        \n~~\n window.gradio_config\x20=\x20{ window.gradio_api_info\x20=\x20{ ;</script> <title>
        <meta\x20property="og:title"\x20content=" "components":[ "dependencies":[ "api_name": "props":{ "value":
        "elem_id": "choices": content-encoding:gzip\n content-encoding:deflate\n server: NaN Infinity 1e400
        \\ud800 \\u202e \\u001b -1 null true 429 503 401 403 0 9999999999999999999999999
        """
    ),
)


def check(data: bytes) -> None:
    """Identify the server, at the port and with the claim that the input says."""
    first, *pieces = parts.split(data, _PIECES)
    port, claimed = options(first)
    replies = dict(map(_reply, pieces))
    for reply in replies.values():
        _reads(reply)
    server = replay.Server(replies, Reply("") if b"silent" in first else replay.FASTAPI_404)
    result = replay.identify(server, port, claimed)
    bounds.finding(result.finding)


def options(first: bytes) -> tuple[int, str | None]:
    """Return the port and the claimed kind of a first piece."""
    words = first.decode("latin-1").split()
    port = next((int(word[:5]) % 65536 for word in words if word.isascii() and word.isdigit()), 0)
    return port, next((word for word in words if any(kind.id == word for kind in BUILTIN)), None)


def _reply(piece: bytes) -> tuple[str, Reply]:
    head, _, body = piece.partition(b"\n\n")
    request, status, *lines = [*head.decode("latin-1").split("\n"), "200"]
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.lower(), value.strip()) for name, colon, value in pairs if colon)
    said = dict(headers)
    octets = _decompress(body, said.get("content-encoding", ""), BODY_LIMIT)
    assert len(octets) <= max(BODY_LIMIT + 1, len(body))
    code = int(status[:3]) if status.isascii() and status.isdigit() else 200
    return request, Reply(request, code, headers, octets.decode("utf-8", "replace")[:BODY_LIMIT])


def _reads(reply: Reply) -> None:
    data = parse_json(reply.body)
    assert data is NOT_JSON or _depth(data) <= 64
    whole = Reply(reply.request, reply.status, reply.headers, reply.body, data=data)
    for pointer in _POINTERS:
        assert sum(1 for _ in values(data, pointer)) <= 2000
    seen = page(whole)
    if seen is NOT_JSON:
        return
    assert isinstance(seen, dict)
    for name in ("api_names", "texts", "elem_ids", "choices"):
        assert all(isinstance(each, str) for each in seen[name]), name
    assert seen["version"] is None or isinstance(seen["version"], str)
    assert seen["title"] is None or (isinstance(seen["title"], str) and seen["title"].strip())


def _depth(data: object) -> int:
    depth, level = 0, [data]
    while level:
        inner = [item for each in level if isinstance(each, dict | list) for item in _items(each)]
        depth += any(isinstance(each, dict | list) for each in level)
        level = inner
    return depth


def _items(each: dict[str, object] | list[object]) -> list[object]:
    return list(each.values()) if isinstance(each, dict) else each


def seeds() -> Iterator[tuple[str, bytes]]:
    """What real servers answered, shortened, and a little of each kind of trouble."""
    ports = {"comfyui": 8188, "litellm": 4000, "wangp": 7860, "rvc": 7865, "audioldm": 7861}
    for path in sorted(replay.RECORDINGS.glob("*.json")):
        kind = next((name for name in ports if path.name.startswith(name)), "")
        entries = json.loads(path.read_text(encoding="utf-8"))["replies"]
        there = [entry for entry in entries if entry["status"] != 404]
        pieces = [_written(e["path"], e["status"], e["headers"], _short(e["body"])) for e in there]
        yield path.stem, parts.join(f"{ports.get(kind, 8000)}".encode(), *pieces[: _PIECES - 1])
    frame = _written("ws:/ws", 101, {}, replay.COMFYUI_FRAME)
    yield "frame", parts.join(b"8188 comfyui silent", frame)
    html = "<html><title>Forge\u202e</title><script>window.gradio_config = {};</script></html>"
    yield "title", parts.join(b"7860", _written("/", 200, {"server": "uvicorn"}, html))
    packed = gzip.compress(json.dumps(replay.gradio_config("AudioLDM")).encode(), mtime=0)
    yield "gzip", parts.join(b"7860 audioldm", b"/config\n200\ncontent-encoding: gzip\n\n" + packed)
    login = replay.gradio_login(["predict"], "Wan2GP").replies.items()
    yield "login", parts.join(b"7860 wan2gp", *(_written(r, e.status, dict(e.headers), e.body) for r, e in login))
    for kind in BUILTIN:
        asked = [step.request for proof in kind.proofs for step in proof.steps][:3]
        reply = '{"version": "1.2", "status": "ok", "data": [{"id": "x"}]}'
        pieces = [_written(request, 200, {}, reply) for request in asked]
        yield f"kind-{kind.id}", parts.join(f"{kind.ports[0] if kind.ports else 1} {kind.id}".encode(), *pieces)


def _written(request: str, status: int, headers: dict[str, str], body: str) -> bytes:
    lines = [request, str(status), *(f"{name}: {value}" for name, value in headers.items())]
    return "\n".join(lines).encode("latin-1", "replace") + b"\n\n" + body.encode("utf-8", "surrogatepass")


def _short(body: str) -> str:
    """Return a body that is small enough to be changed in every place: the first items of its long lists."""
    data = parse_json(body)
    if data is NOT_JSON:
        return body[:1500]
    sizes = (json.dumps(_cut(data, most)) for most in (40, 20, 10, 6, 4, 3, 2, 1))
    return next((text for text in sizes if len(text) < 3000), body[:1500])


def _cut(data: object, most: int) -> object:
    if isinstance(data, dict):
        return {key: _cut(value, most) for key, value in list(data.items())[:40]}
    return [_cut(item, most) for item in data[:most]] if isinstance(data, list) else data
