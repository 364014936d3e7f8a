"""How many mDNS packets a host sends and receives: counted by the kernel, without reading them."""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.measure import Contender, Sample
from tests.lab.net import Host

_ETH_P_ALL = 3
_SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>
_SOL_PACKET, _PACKET_STATISTICS = 263, 6  # <linux/if_packet.h>
_AFTER_S = 0.1  # answers that were under way when the last was found

# Classic BPF (code, jump if true, jump if false, value): UDP from or to port 5353, of IPv4 or IPv6; 64 octets of each.
_LOAD_HALF, _LOAD_BYTE, _EQUAL, _RETURN = 0x28, 0x30, 0x15, 0x06
_LOAD_HALF_INDIRECT, _HEADER_LENGTH = 0x48, 0xB1
_UDP, _PORT, _IPV4, _IPV6 = 17, 5353, 0x0800, 0x86DD
_FILTER = (
    (_LOAD_HALF, 0, 0, 12),
    (_EQUAL, 0, 7, _IPV4),
    (_LOAD_BYTE, 0, 0, 23),
    (_EQUAL, 0, 13, _UDP),
    (_HEADER_LENGTH, 0, 0, 14),
    (_LOAD_HALF_INDIRECT, 0, 0, 14),
    (_EQUAL, 9, 0, _PORT),
    (_LOAD_HALF_INDIRECT, 0, 0, 16),
    (_EQUAL, 7, 8, _PORT),
    (_EQUAL, 0, 7, _IPV6),
    (_LOAD_BYTE, 0, 0, 20),
    (_EQUAL, 0, 5, _UDP),
    (_LOAD_HALF, 0, 0, 54),
    (_EQUAL, 2, 0, _PORT),
    (_LOAD_HALF, 0, 0, 56),
    (_EQUAL, 0, 1, _PORT),
    (_RETURN, 0, 0, 64),
    (_RETURN, 0, 0, 0),
)


class Packets:
    """Counts at one interface of a host; made by :func:`packets`."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def since(self) -> int:
        """Return how many there were since it was last asked; the kernel counts those that nobody reads, too."""
        seen, _ = struct.unpack("II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        return int(seen)

    def of(self, contender: Contender) -> Contender:
        """Return the same contender, with its packets counted."""

        def measure() -> Sample:
            self.since()
            sample = contender()
            time.sleep(_AFTER_S)
            return {**sample, "packets": float(self.since())}

        return measure


@contextmanager
def packets(host: Host, interface: str = "eth0") -> Iterator[Packets]:
    """Count the mDNS packets of a host, in and out."""
    program = b"".join(struct.pack("HBBI", *each) for each in _FILTER)
    memory = ctypes.create_string_buffer(program)
    with host.entered():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    with sock:
        header = struct.pack("HP", len(_FILTER), ctypes.addressof(memory))
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)
        sock.bind((interface, 0))
        yield Packets(sock)
