"""Which packets are looked at: the first edge towards the LAN, before anything is parsed.

Theory of operation. Whoever is on the LAN may send whatever he likes, as fast as he can, under any address of it. So

1. only what can be an mDNS response of a neighbour passes: from port 5353 and from an address of one of our links
   (RFC 6762 section 11), of a size and shape that there can be;
2. each sender has an allowance: who floods loses his own packets, and nobody else's;
3. new senders have an allowance together, which only a flood under ever new addresses uses up. Whom we know already
   is heard all the same. IPv4 and IPv6 are counted apart, since an IPv4 network is small, and a link-local address
   costs an attacker nothing.

Nothing in here grows beyond :data:`SENDER_LIMIT`, and what is dropped is counted by its reason.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hybridisco.core.packet import SIZE_LIMIT, is_answer, well_formed

MDNS_PORT = 5353
SENDER_LIMIT = 1024

# A box with 1000 services says them in 200 packets at once; Avahi says each in a packet of its own.
_BURST, _RATE = 2000.0, 250.0  # packets, and packets a second, of one sender
# New senders, and new senders a second: a full /23 of IPv4 switched on at once; of IPv6 addresses anybody has many.
_NEW = {False: (512.0, 8.0), True: (128.0, 4.0)}

#: Why a packet was dropped.
PORT, OFF_LINK, SIZE, MALFORMED, FLOOD = "port", "off-link", "size", "malformed", "flood"
REASONS = {
    PORT: "not from port 5353",
    OFF_LINK: "from another network",
    SIZE: "too large",
    MALFORMED: "malformed",
    FLOOD: "too many",
}


@dataclass(slots=True)
class _Allowance:
    """Tokens that come back with time."""

    tokens: float
    at: float

    def take(self, now: float, burst: float, rate: float) -> bool:
        self.tokens = min(burst, self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


@dataclass(slots=True)
class _Sender:
    link: str
    allowance: _Allowance


class Guard:
    """Lets packets in, or drops and counts them.

    :param link_of: gives the name of the interface that leads to an address, from which a packet came with this zone
        index (0 for none), or None if none does.
    :param trusted: whether a sender has something standing that we know: he is not forgotten for others.
    """

    def __init__(
        self, link_of: Callable[[str, int], str | None], trusted: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._link_of = link_of
        self._trusted = trusted
        self._senders: OrderedDict[tuple[str, int], _Sender] = OrderedDict()
        self._new: dict[bool, _Allowance] = {}
        self.dropped: Counter[str] = Counter()
        """Packets that were dropped, by their reason."""

    def admits(self, data: bytes, source: str, zone: int, port: int, now: float) -> str | None:
        """Return the interface that a packet came by if it may be read, else None. ``now`` in monotonic seconds."""
        if not is_answer(data):
            return None  # a question, which is not for us
        sender = self._sender(source, zone, now) if port == MDNS_PORT else PORT
        reason = sender if isinstance(sender, str) else self._wrong_with(data, sender, now)
        if isinstance(sender, str) or reason is not None:
            self.dropped[reason or ""] += 1
            return None
        return sender.link

    @staticmethod
    def _wrong_with(data: bytes, sender: _Sender, now: float) -> str | None:
        if not sender.allowance.take(now, _BURST, _RATE):
            return FLOOD
        if len(data) > SIZE_LIMIT:
            return SIZE
        return None if well_formed(data) else MALFORMED

    def forget_links(self) -> None:
        """The interfaces have changed: who is a neighbour is found out anew."""
        self._senders.clear()
        self._new.clear()

    def _sender(self, source: str, zone: int, now: float) -> _Sender | str:
        """Return who sent it, or why nothing is taken from there."""
        key = (source, zone)
        known = self._senders.get(key)
        if known is not None:
            self._senders.move_to_end(key)
            return known
        link = self._link_of(source, zone)
        if link is None:
            return OFF_LINK
        six = ":" in source
        burst, rate = _NEW[six]
        allowance = self._new.setdefault(six, _Allowance(burst, now))
        if not self._trusted(source) and not allowance.take(now, burst, rate):
            return FLOOD
        sender = self._senders[key] = _Sender(link, _Allowance(_BURST, now))
        while len(self._senders) > SENDER_LIMIT:
            oldest = next((each for each in self._senders if not self._trusted(each[0])), next(iter(self._senders)))
            del self._senders[oldest]
        return sender
