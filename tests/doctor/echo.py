"""A stand-in for a sidecar: it knows nothing but the doctor's question. Runs as a program in a lab host.

``python -m tests.doctor.echo NAME`` prints "ready" when it listens on every interface that has an address.
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys

from hybridisco.doctor import dns
from hybridisco.doctor.firewall.model import GROUPS, MDNS_PORT
from hybridisco.doctor.port import share
from hybridisco.sources.interfaces import interfaces

_TTL_S = 1


def answer(name: str, via: str, heard: str, host: str) -> bytes:
    """The answer as a sidecar writes it: one TXT record of the very name."""
    strings = [string.encode() for string in (f"via={via}", f"heard={heard}", f"host={host}", "ver=0.0.0")]
    data = b"".join(bytes([len(string)]) + string for string in strings)
    packed = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"
    return (
        struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0) + packed + struct.pack("!HHIH", dns.TXT, 1, _TTL_S, len(data)) + data
    )


def listeners() -> list[tuple[socket.socket, tuple[object, ...]]]:
    """A socket for each interface and family, and the group that it answers to."""
    found: list[tuple[socket.socket, tuple[object, ...]]] = []
    for interface in interfaces():
        if interface.loopback:
            continue
        four = next((str(a.ip) for a in interface.addresses if a.version == 4), None)
        if four:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            share(sock)
            sock.bind(("", MDNS_PORT))
            request = socket.inet_aton(GROUPS["ipv4"]) + socket.inet_aton(four)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(four))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
            found.append((sock, (GROUPS["ipv4"], MDNS_PORT)))
        if any(a.version == 6 for a in interface.addresses):
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            share(sock)
            sock.bind(("", MDNS_PORT))
            group = socket.inet_pton(socket.AF_INET6, GROUPS["ipv6"]) + struct.pack("@I", interface.index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            found.append((sock, (GROUPS["ipv6"], MDNS_PORT, 0, interface.index)))
    return found


def serve(host: str) -> None:
    """Answer until killed."""
    selector = selectors.DefaultSelector()
    for sock, group in listeners():
        selector.register(sock, selectors.EVENT_READ, group)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            packet, asker = sock.recvfrom(9000)
            message = dns.read(packet)
            if message is None or message.response:
                continue
            for name in filter(dns.nonce_of, message.questions):
                for via, to in (("multicast", key.data), ("unicast", asker)):
                    try:
                        sock.sendto(answer(name, via, str(asker[0]), host), to)
                    except OSError as error:  # a firewall of its own
                        print(f"{via}: {error}", flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
