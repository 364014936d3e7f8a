"""The doctor's question to a sidecar on another host, and the two answers to it.

``hybridisco doctor`` asks for the TXT record of ``<nonce>._echo._hybridisco._tcp.local.``. A sidecar that hears it
answers twice, by multicast on the link where it was heard and by unicast to the asker, each time saying which of the
two it is. What arrives tells which way packets get lost. An answer is small, goes only to a neighbour and at most ten
times a second: nobody can use it to flood somebody else.
"""

from __future__ import annotations

import re

from hybridisco import SERVICE_TYPE, __version__

TTL_S = 1  # nobody need keep it

_QUESTION = re.compile(rf"[0-9a-f]{{16}}\._echo\.{re.escape(SERVICE_TYPE)}", re.IGNORECASE)
_A_SECOND = 10


def is_question(name: str) -> bool:
    """Whether a name is one that the doctor asks for."""
    return _QUESTION.fullmatch(name) is not None


def answer(via: str, heard: str, host: str) -> bytes:
    """Return the TXT record's data (RFC 6763 section 6). ``via`` is multicast or unicast, ``heard`` the asker."""
    strings = (f"via={via}", f"heard={heard}", f"host={host}", f"ver={__version__}")
    encoded = (string.encode()[:255] for string in strings)
    return b"".join(bytes([len(string)]) + string for string in encoded)


class Limit:
    """Lets so many through in a second, and drops the rest."""

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def allows(self, now: float) -> bool:
        """Whether one more may be answered. ``now`` is in seconds of a clock that never goes back."""
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return self._count <= _A_SECOND
