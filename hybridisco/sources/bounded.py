"""HTTP connections that end when more comes for one request than any answer has.

The one place for private names of aiohttp. The client's own limits on header and body leave out what is neither:
interim answers, chunk extensions, chunks of one octet. ``tests/sources/test_probe_bounds.py`` fails should the names be
others one day.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

#: Octets of a page's body that are read, before and after decompression; pages of Gradio are larger than others.
PAGE_LIMIT = 1024 * 1024
#: Octets on the wire for one request: a page, what a reader who is slow leaves waiting, and the framing of chunks.
_WIRE_LIMIT = PAGE_LIMIT + 512 * 1024
_HEADS = 8  # answers to one request: interim ones (103 Early Hints), and the one that counts
_SLICE = 16 * 1024  # octets that are parsed before the limits are looked at again


class Connection(ResponseHandler):
    """An HTTP connection that ends when more comes for one request than a whole answer takes.

    The limits on header and body leave out what is neither: interim answers, chunk extensions, chunks of one octet.
    """

    _octets = _heads = 0

    def set_response_params(self, **params: Any) -> None:
        """Begin to count: a request is being made."""
        self._octets = self._heads = 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Parse what came, a slice at a time, while it is within the limits."""
        for start in range(0, len(data) or 1, _SLICE):
            piece = data[start : start + _SLICE]
            self._octets += len(piece)
            if self._octets > _WIRE_LIMIT or self._heads > _HEADS:
                self._refuse()
            if not self.is_connected():
                return
            super().data_received(piece)

    def feed_data(self, *message: Any) -> None:
        """Take the head of an answer."""
        self._heads += 1
        super().feed_data(*message)

    def set_exception(self, *error: Any) -> None:
        """Take an error. aiohttp leaves whoever reads the body waiting when it comes in the middle of that."""
        payload = self._payload
        if payload is not None and payload.exception() is None and not payload.is_eof():
            payload.set_exception(aiohttp.ClientPayloadError("the body is malformed"))
        super().set_exception(*error)

    def _refuse(self) -> None:
        error = aiohttp.ClientPayloadError("more came than any answer has")
        if self._payload is not None:
            self._payload.set_exception(error)
        if self.transport is not None:
            self.transport.abort()
        self.set_exception(error)


class Connector(aiohttp.TCPConnector):
    """A connector whose connections are bounded. Its factory is aiohttp's own attribute: a test watches over it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(Connection, loop=asyncio.get_running_loop())  # type: ignore[assignment]
