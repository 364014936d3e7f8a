"""A plain web server (Python's `http.server`): what sits on a port that a backend might have had."""

from __future__ import annotations

import html
from http import HTTPStatus
from typing import Final

from hybridisco.testing.backends.backend import Backend
from hybridisco.testing.replies import HTML, Options, Reply, Request

SERVER: Final = "SimpleHTTP/0.6 Python/3.11.7"


def answer(request: Request, options: Options) -> Reply:
    """An empty folder's listing at `/`, a page of regret elsewhere. Upgrades are taken for plain GETs."""
    if request.method not in ("GET", "HEAD"):
        return _error(HTTPStatus.NOT_IMPLEMENTED, f"Unsupported method ('{request.method}')")
    if request.path != "/":
        return _error(HTTPStatus.NOT_FOUND, "File not found")
    title = html.escape(options.title or "Directory listing for /")
    page = (
        '<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<hr>\n<ul>\n</ul>\n<hr>\n</body>\n</html>\n"
    )
    return Reply(200, page.encode(), HTML, SERVER)


def _error(status: HTTPStatus, message: str) -> Reply:
    page = (
        '<!DOCTYPE HTML>\n<html lang="en">\n    <head>\n        <meta charset="utf-8">\n'
        "        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n"
        f"        <p>Error code: {status:d}</p>\n        <p>Message: {html.escape(message)}.</p>\n"
        f"        <p>Error code explanation: {status:d} - {status.description}.</p>\n    </body>\n</html>\n"
    )
    return Reply(status, page.encode(), "text/html;charset=utf-8", SERVER)


def _locked(request: Request, options: Options) -> Reply:
    headers = (("WWW-Authenticate", 'Basic realm="web"'),)
    return Reply(401, b"", "text/html;charset=utf-8", SERVER, headers)


BACKEND: Final = Backend(kind="web", answer=answer, locked=_locked, mistaken_for="comfyui", server=SERVER)
