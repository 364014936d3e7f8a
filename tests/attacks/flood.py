"""A flood: ``python -m tests.attacks.flood OWN_ADDRESS SECONDS RATE FORGED``: announcements of instances that are none.

``FORGED`` is how many other addresses of the network it pretends to have. Packets are made before it says "ready", and
sent in small bursts, so that the rate is kept; it says at the end how many there were.
"""

from __future__ import annotations

import ipaddress
import sys
import time

from tests.attacks.attacker import announcement, datagram, raw_socket, strings
from tests.e2e import liar

INSTANCES = 100_000
_BURST = 100
_MARK = b"000000"


def main(own: str, seconds: float, rate: float, forged: int) -> None:
    """Send."""
    sources = [own, *(str(ipaddress.ip_address("10.77.0.100") + number) for number in range(forged))]
    templates = [datagram(_template(source), source, liar.GROUP, liar.PORT) for source in sources]
    packets = [templates[number % len(templates)].replace(_MARK, b"%06d" % number) for number in range(INSTANCES)]
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
                sock.sendto(packets[number % INSTANCES], (liar.GROUP, 0))
            except OSError:  # the queue of the card is full
                continue
        sent += due
    print(f"sent {sent} in {time.monotonic() - began:.1f} s", flush=True)


def _template(address: str) -> bytes:
    text = strings(kind="comfyui", id=_MARK.decode(), ver="0.3.64")
    return announcement((b"fake " + _MARK, *liar.TYPE), (b"fake-" + _MARK, b"local"), [address], text)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
