"""A program that announces what no honest responder would: ``python -m tests.e2e.liar``.

Its packets are made by hand (RFC 1035, RFC 6762), since every library refuses to make them. It says all of it again
whenever it hears a question.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys

GROUP, PORT = "224.0.0.251", 5353
TYPE = (b"_hybridisco", b"_tcp", b"local")
A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33
IN, FLUSH = 1, 0x8000

#: Instance label: (host, its addresses, TXT strings). All are at port 8188, but for the dirty one.
LIES: dict[bytes, tuple[bytes, tuple[str, ...], tuple[bytes, ...]]] = {
    b"loopback": (b"lo", ("127.0.0.1", "::1"), (b"kind=comfyui",)),
    b"metadata": (b"meta", ("169.254.169.254",), (b"kind=comfyui",)),
    b"multicast": (b"multi", ("224.0.0.251", "ff02::fb"), (b"kind=comfyui",)),
    b"nowhere": (b"zero", ("0.0.0.0", "::", "255.255.255.255"), (b"kind=comfyui",)),
    b"mapped": (b"mapped", ("::ffff:127.0.0.1", "::ffff:169.254.169.254"), (b"kind=comfyui",)),
    b"internet": (b"inet", ("93.184.216.34", "100.100.100.200", "2001:db8::1", "192.168.77.1"), (b"kind=comfyui",)),
    b"half": (b"half", ("127.0.0.1", "10.77.0.1", "169.254.169.254"), (b"kind=comfyui", b"id=half")),
    b"\x1b[31mred\x07\xe2\x80\xaegnp.exe\n\x00": (
        b"dirty",
        ("10.77.0.1",),
        (
            b"txtvers=1",
            b"kind=../../etc",
            b"id=\x1b]0;title\x07",
            b"path=http://169.254.169.254/latest/",
            b"ver=\xe2\x80\xae1.0\x1b[2J",
            b"gpu=" + b"x" * 200,
            b"vram=99999999999999999999",
            b"=nothing",
            b"\xff\xfe=\xff",
        ),
    ),
}


def main() -> None:
    """Lie until killed."""
    sock = open_socket(sys.argv[1])
    print("ready", flush=True)
    while True:
        for label, (host, addresses, strings) in LIES.items():
            sock.sendto(packet(label, host, addresses, strings), (GROUP, PORT))
        sock.sendto(_poison(), (GROUP, PORT))
        sock.recv(9000)


def open_socket(address: str) -> socket.socket:
    """Return a socket that hears and speaks mDNS through the interface with this address."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", PORT))
    own = socket.inet_aton(address)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + own)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    return sock


def _poison() -> bytes:
    """A name that is no UTF-8: decoded with replacement characters it has three times the octets a label may have."""
    return response(record(TYPE, PTR, IN, name((b"\xff" * 63, *TYPE))))


def response(*records: bytes) -> bytes:
    """Return a packet that answers with these records."""
    return struct.pack("!6H", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


def packet(label: bytes, host: bytes, addresses: tuple[str, ...], strings: tuple[bytes, ...]) -> bytes:
    """Return the announcement of one instance."""
    instance, target = (label, *TYPE), (host, b"local")
    records = [
        record(TYPE, PTR, IN, name(instance)),
        record(instance, SRV, IN | FLUSH, struct.pack("!HHH", 0, 0, 8189 if host == b"dirty" else 8188) + name(target)),
        record(instance, TXT, IN | FLUSH, b"".join(bytes([len(each)]) + each for each in strings)),
    ]
    for address in map(ipaddress.ip_address, addresses):
        records.append(record(target, A if address.version == 4 else AAAA, IN | FLUSH, address.packed))
    return response(*records)


def name(labels: tuple[bytes, ...]) -> bytes:
    """Return a domain name, uncompressed."""
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner: tuple[bytes, ...], kind: int, clas: int, data: bytes, ttl_s: int = 120) -> bytes:
    """Return one resource record."""
    return name(owner) + struct.pack("!HHIH", kind, clas, ttl_s, len(data)) + data


if __name__ == "__main__":
    main()
