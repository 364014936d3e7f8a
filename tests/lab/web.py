"""The little HTTP and WebSocket that a hostile server needs to look real (RFC 9112, RFC 6455)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass

_WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


@dataclass(frozen=True, slots=True)
class Request:
    """The request line and the headers, their names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read up to the empty line; ``EOFError`` when the client leaves earlier."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = text.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return Request(method, path, {name.strip().lower(): value.strip() for name, _, value in pairs})


def answer(body: bytes, content_type: str = "application/json", *, length: int | None = None) -> bytes:
    """A whole 200 answer; ``length`` claims another length than the body's."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    return head.encode("latin-1") + body


def accept_upgrade(request: Request) -> bytes:
    """The 101 answer to a WebSocket handshake, or a 426 when the request was none."""
    key = request.headers.get("sec-websocket-key")
    if key is None:
        return b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    digest = hashlib.sha1((key + _WEBSOCKET_GUID).encode(), usedforsecurity=False).digest()
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return f"{head}Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n\r\n".encode()


def text_frame(text: str) -> bytes:
    """An unmasked text frame of less than 126 bytes."""
    payload = text.encode()
    return bytes([0x81, len(payload)]) + payload
