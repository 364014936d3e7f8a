"""A flood of packets: ``python -m tests.attacks.flood WHAT OWN_ADDRESS SECONDS RATE FORGED``.

WHAT: ``instances`` are 100,000 announcements of services that are none; ``host`` are a thousand services on one host,
which says again and again that it is elsewhere. FORGED is how many other addresses of the network it pretends to have.
Packets are made before it says "ready", and sent in small bursts, so that the rate is kept; it says at the end how many
there were.
"""

from __future__ import annotations

import ipaddress
import sys
import time

from tests.attacks.attacker import announcement, datagram, places, raw_socket, strings
from tests.e2e import liar

INSTANCES = 100_000
_BURST = 100
_MARK = b"000000"


def main(what: str, own: str, seconds: float, rate: float, forged: int) -> None:
    """Send."""
    sources = [own, *(str(ipaddress.ip_address("10.77.0.100") + number) for number in range(forged))]
    packets = {"instances": _instances, "host": _host}[what](sources)
    sock = raw_socket(own)
    print("ready", flush=True)
    began, sent = time.monotonic(), 0
    while (now := time.monotonic()) - began < seconds:
        due = min(_BURST, int((now - began) * rate) - sent)
        if due < 1:
            time.sleep(0.001)
            continue
        for number in range(sent, sent + due):
            try:
                sock.sendto(packets[number % len(packets)], (liar.GROUP, 0))
            except OSError:  # the queue of the card is full
                continue
        sent += due
    print(f"sent {sent} in {time.monotonic() - began:.1f} s", flush=True)


def _instances(sources: list[str]) -> list[bytes]:
    """100,000 instances, each from another source than the one before."""
    templates = [_forged(source, _announcement(b"fake-" + _MARK, source)) for source in sources]
    return [templates[number % len(templates)].replace(_MARK, b"%06d" % number) for number in range(INSTANCES)]


def _host(sources: list[str]) -> list[bytes]:
    """A thousand instances on one host, and five times as often its addresses, always others."""
    template = _announcement(b"hub", sources[0])
    found = []
    for number in range(1000):
        source = sources[number % len(sources)]
        found.append(_forged(source, template.replace(_MARK, b"%06d" % number)))
        found += [_forged(source, places((b"hub", b"local"), f"10.77.0.{100 + (number + n) % 9}")) for n in range(5)]
    return found


def _announcement(host: bytes, address: str) -> bytes:
    text = strings(kind="comfyui", id=_MARK.decode(), ver="0.3.64")
    return announcement((b"fake " + _MARK, *liar.TYPE), (host, b"local"), [address], text)


def _forged(source: str, packet: bytes) -> bytes:
    return datagram(packet, source, liar.GROUP, liar.PORT)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
