"""The manners of FastAPI on uvicorn, the ground under LiteLLM and every Gradio program."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from hybridisco.testing.replies import JSON, TEXT, Options, Reply, Request, json_bytes

NOT_FOUND = Reply(404, json_bytes({"detail": "Not Found"}))
# A WebSocket to a path that has none is refused by the HTTP server itself, before the program sees it.
NO_WEBSOCKET = Reply(403, b"", TEXT)


def json_reply(value: object, status: int = 200) -> Reply:
    """A JSON reply as FastAPI writes it: no blanks, no charset."""
    return Reply(status, json_bytes(value), JSON)


def method_not_allowed(allow: str) -> Reply:
    """405, naming the methods that are."""
    return replace(json_reply({"detail": "Method Not Allowed"}, 405), headers=(("Allow", allow),))


def serve(request: Request, pages: Mapping[str, Reply], *, with_head: Collection[str] = ()) -> Reply:
    """Answer from a table of pages that are all read with GET.

    FastAPI, unlike most servers, refuses HEAD on a GET page; `with_head` names the pages where the program
    asked for it.
    """
    if request.wants_websocket:
        return NO_WEBSOCKET
    page = pages.get(request.path)
    if page is None:
        return NOT_FOUND
    if request.method == "GET" or (request.method == "HEAD" and request.path in with_head):
        return page
    return method_not_allowed("GET, HEAD" if request.path in with_head else "GET")


def signed(reply: Reply, server: str) -> Reply:
    """The reply with its Server header, unless it has one."""
    return reply if reply.server else replace(reply, server=server)


def wrapper_locked(request: Request, options: Options) -> Reply:
    """What a wrapper with a token says to those who have none."""
    return replace(json_reply({"detail": "Not authenticated"}, 401), headers=(("WWW-Authenticate", "Bearer"),))
