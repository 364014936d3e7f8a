"""An event loop whose connections lead nowhere: what a client writes is answered from memory, by the next turn.

aiohttp and websockets run on it as they are, so that their parsers and our use of them get octets as from a socket. Its
clock jumps: who waits for something that does not come has waited for it at once.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Callable
from typing import Any

#: Gives the whole of what a server sends for a request, after which it hangs up.
Answer = Callable[[bytes], bytes]

_CHUNKS_LIMIT = 64


class _Jumping(selectors.DefaultSelector):
    """There is nothing to hear from outside, so that the time until the next timer is over at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass."""
        assert timeout is not None, "it waits for ever"
        self.now += max(timeout, 0.0)
        return super().select(0)


class MemoryLoop(asyncio.SelectorEventLoop):
    """A loop with one server, for every address.

    ``answer`` is called with each request; ``chunk`` is how many octets arrive at once.
    """

    answer: Answer = staticmethod(lambda _: b"")
    chunk = 1 << 20

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """The time of this loop, which is nobody else's."""
        return self._jumping.now

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Every connection succeeds."""

    async def create_connection(self, protocol_factory: Any, *_: Any, **options: Any) -> Any:  # type: ignore[override]
        """Return a transport that leads nowhere; a socket that was made for it is closed."""
        if (sock := options.get("sock")) is not None:
            sock.close()
        protocol = protocol_factory()
        transport = _Transport(self, protocol)
        protocol.connection_made(transport)
        return transport, protocol


class _Transport(asyncio.Transport):
    def __init__(self, loop: MemoryLoop, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("192.168.77.7", 8188), "sockname": ("192.168.77.1", 40000)})
        self._loop = loop
        self._protocol = protocol
        self._request = b""
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take a part of a request; a whole one is answered. What comes after is not listened to."""
        if b"\r\n\r\n" in self._request:
            return
        self._request += bytes(data)
        if b"\r\n\r\n" in self._request:
            reply = self._loop.answer(self._request)
            size = max(self._loop.chunk, len(reply) // _CHUNKS_LIMIT, 1)
            self._loop.call_soon(self._send, [reply[at : at + size] for at in range(0, len(reply), size)])

    def writelines(self, pieces: Any) -> None:
        """Write them as one."""
        self.write(b"".join(pieces))

    def _send(self, chunks: list[bytes]) -> None:
        if self._closed:
            return
        if chunks:
            self._protocol.data_received(chunks[0])
            self._loop.call_soon(self._send, chunks[1:])
        elif not self._protocol.eof_received():
            self.close()

    def close(self) -> None:
        """Hang up."""
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        """Whether it has hung up."""
        return self._closed

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give another ear."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the ear."""
        return self._protocol

    def pause_reading(self) -> None:
        """Nothing: what is on the way is little."""

    resume_reading = pause_reading

    def is_reading(self) -> bool:
        """Always."""
        return not self._closed

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is kept."""

    def get_write_buffer_size(self) -> int:
        """Nothing is kept."""
        return 0

    def can_write_eof(self) -> bool:
        """No."""
        return False
