"""An attacker on the LAN, who makes his packets by hand, and forges the sender's address if he likes."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import Any

from hybridisco.core.packet import PTR, SRV, TXT, A, Packet
from hybridisco.sources.table import pairs
from hybridisco.sources.wire import read
from hybridisco.trust.signing import SigningKey, sign_txt
from tests.e2e import liar
from tests.lab.net import Host
from tests.lab.wait import LabError

LISTEN_S = 0.25
Labels = tuple[bytes, ...]


@dataclass(slots=True)
class Heard:
    """What was heard of a victim: all that there is to repeat."""

    name: str
    host: str = ""
    port: int = 0
    text: bytes = b""
    addresses: set[str] = field(default_factory=set)

    @property
    def label(self) -> bytes:
        """The instance's name without its type."""
        return self.name.removesuffix("._hybridisco._tcp.local.").encode()

    @property
    def instance(self) -> Labels:
        return (self.label, *liar.TYPE)

    @property
    def target(self) -> Labels:
        return tuple(label.encode() for label in self.host.rstrip(".").split("."))

    @property
    def pairs(self) -> dict[str, str]:
        """What its TXT record says."""
        return {key.decode(): (value or b"").decode() for key, value in pairs(self.text).items()}

    @property
    def id(self) -> str:
        return self.pairs["id"]


class Attacker:
    """One who sits at a host of the lab: ``with attacker(mallory) as mallory: mallory.say(packet)``."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.address = next(interface.ipv4 for interface in host.interfaces if interface.ipv4) or ""
        with host.entered():
            self._sock = liar.open_socket(self.address)
            self._raw = raw_socket(self.address)
        self._sock.settimeout(LISTEN_S)

    def close(self) -> None:
        self._sock.close()
        self._raw.close()

    # -- saying ---------------------------------------------------------------------------------------

    def say(self, *packets: bytes, source: str | None = None, port: int = liar.PORT, to: str = liar.GROUP) -> None:
        """Multicast packets; ``source`` forges whose they are, ``port`` where they come from, ``to`` who hears them."""
        for packet in packets:
            if (source, port, to) == (None, liar.PORT, liar.GROUP):
                self._sock.sendto(packet, (liar.GROUP, liar.PORT))
            else:
                self._raw.sendto(datagram(packet, source or self.address, to, port), (to, 0))

    @contextmanager
    def going_on(self, *packets: bytes, every_s: float, **how: Any) -> Iterator[None]:
        """Say the same again and again for as long as the block runs."""
        done = threading.Event()

        def repeat() -> None:
            while not done.wait(every_s):
                self.say(*packets, **how)

        thread = threading.Thread(target=repeat, name="attacker")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    # -- listening ------------------------------------------------------------------------------------

    def await_question(self, limit_s: float = 15.0) -> None:
        """Return when somebody asks: now he listens."""
        for _ in range(round(limit_s / LISTEN_S)):
            with suppress(TimeoutError):
                while self._sock.recv(9000)[2] & 0x80:
                    pass
                return
        raise LabError(f"nobody has asked within {limit_s} s")

    def overhear(self, limit_s: float = 10.0) -> Heard:
        """Ask who is there, and return the first one that has told all of itself."""
        found: dict[str, Heard] = {}
        hosts: dict[str, set[str]] = {}
        for _ in range(round(limit_s / LISTEN_S)):
            self.say(_question(liar.TYPE))
            for packet in self._packets():
                self._note(packet, found, hosts)
            for one in found.values():
                one.addresses = hosts.get(one.host.lower(), set())
                if one.port and one.text and one.addresses:
                    return one
        raise LabError(f"the attacker has heard of nobody within {limit_s} s")

    def _packets(self) -> Iterator[Packet]:
        try:
            while True:
                data, (source, _) = self._sock.recvfrom(9000)
                if data[2] & 0x80:
                    yield Packet(source, "eth0", tuple(read(data)))
        except TimeoutError:
            return

    @staticmethod
    def _note(packet: Packet, found: dict[str, Heard], hosts: dict[str, set[str]]) -> None:
        for record in packet.records:
            if record.type == PTR and record.name == "_hybridisco._tcp.local." and record.ttl_s:
                found.setdefault(str(record.data), Heard(str(record.data)))
            one = found.get(record.name)
            if record.type == A:
                hosts.setdefault(record.name.lower(), set()).add(str(record.data))
            elif one is not None and record.type == SRV and isinstance(record.data, tuple):
                one.host, one.port = record.data
            elif one is not None and record.type == TXT and isinstance(record.data, bytes):
                one.text = record.data


@contextmanager
def attacker(host: Host) -> Iterator[Attacker]:
    """Sit down at a host."""
    made = Attacker(host)
    try:
        yield made
    finally:
        made.close()


# -- packets ----------------------------------------------------------------------------------------------


def announcement(
    instance: Labels,
    target: Labels,
    addresses: Iterable[str],
    text: bytes = b"\x0ckind=comfyui",
    *,
    port: int = 8188,
    ttl_s: int = 4500,
) -> bytes:
    """All records of an instance."""
    return liar.response(
        liar.record(liar.TYPE, liar.PTR, liar.IN, liar.name(instance), ttl_s),
        liar.record(
            instance, liar.SRV, liar.IN | liar.FLUSH, struct.pack("!HHH", 0, 0, port) + liar.name(target), ttl_s
        ),
        liar.record(instance, liar.TXT, liar.IN | liar.FLUSH, text, ttl_s),
        *(_address(target, each, ttl_s) for each in addresses),
    )


def places(target: Labels, *addresses: str, ttl_s: int = 120) -> bytes:
    """Where a host is, and that it is nowhere else."""
    return liar.response(*(_address(target, each, ttl_s) for each in addresses))


def goodbyes(one: Heard) -> list[bytes]:
    """Every way to say that a service is gone."""
    records = [
        liar.record(liar.TYPE, liar.PTR, liar.IN, liar.name(one.instance), 0),
        liar.record(
            one.instance, liar.SRV, liar.IN | liar.FLUSH, struct.pack("!HHH", 0, 0, one.port) + liar.name(one.target), 0
        ),
        liar.record(one.instance, liar.TXT, liar.IN | liar.FLUSH, one.text, 0),
        *(_address(one.target, each, 0) for each in one.addresses),
    ]
    return [*map(liar.response, records), liar.response(*records)]


def strings(**told: str) -> bytes:
    """A TXT record."""
    return b"".join(bytes([len(each)]) + each for each in (f"{key}={value}".encode() for key, value in told.items()))


def signed(told: dict[str, str], port: int, addresses: Iterable[str], key: SigningKey, at: float) -> bytes:
    """A TXT record with a signature of the attacker's own."""
    plain = {name: value for name, value in told.items() if name not in ("sig", "key", "at", "ads")}
    return strings(**sign_txt(plain, port, addresses, key, at))


def unsigned(told: dict[str, str]) -> bytes:
    """A TXT record without the signature that it had."""
    return strings(**{name: value for name, value in told.items() if name not in ("sig", "key", "at", "ads")})


def _address(target: Labels, literal: str, ttl_s: int) -> bytes:
    ip = ip_address(literal)
    kind = liar.A if isinstance(ip, IPv4Address) else liar.AAAA
    return liar.record(target, kind, liar.IN | liar.FLUSH, ip.packed, ttl_s)


def _question(name: Labels) -> bytes:
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + liar.name(name) + struct.pack("!HH", liar.PTR, liar.IN)


# -- forging ----------------------------------------------------------------------------------------------


def raw_socket(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    return sock


def datagram(payload: bytes, source: str, to: str, port: int) -> bytes:
    """An IPv4 packet with UDP in it (RFC 791, RFC 768); the kernel adds what is 0 and may be."""
    length = 8 + len(payload)
    udp = struct.pack("!4H", port, liar.PORT, length, 0) + payload
    ends = socket.inet_aton(source) + socket.inet_aton(to)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 255, socket.IPPROTO_UDP, 0) + ends + udp


def counted(detail: str | None, reason: str) -> int:
    """How many packets were dropped for a reason, by what the mDNS source says of itself."""
    found = re.search(rf"(\d+) {re.escape(reason)}", detail or "")
    return int(found[1]) if found else 0
