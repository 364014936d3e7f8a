"""What a sidecar signs its announcements with: one key for the machine, kept beside the ids.

The signature covers the whole TXT record, the port, and the addresses that may be dialled (:mod:`hybridisco.core.trust`
has the format). It is renewed a few times a day, so that an old one cannot be used for ever; a change of the record
every few seconds would wake every phone on the LAN, so between that the same one is said.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from announcers.identity import kept
from hybridisco import SigningKey, covers_address, key_fingerprint, sign_txt

log = logging.getLogger(__name__)

SIGN_EVERY_S = 8 * 3600.0  # clients believe a signature for a day
SIGNATURE_KEYS = frozenset({"key", "at", "ads", "sig"})
_CLOCK_SET_BACK_S = 3000.0  # clients allow an hour; a clock that was farther off is not followed
_NEWEST = "signed"  # a folder with an empty file for each port: its time is that of the newest signature
_SEED = re.compile(r"[A-Za-z0-9+/]{43}=")

Pairs = tuple[tuple[str, str], ...]
Variants = tuple[tuple[tuple[str, ...], Pairs], ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """What was signed for a port: what was asked for, when, and what came of it."""

    asked: tuple[Pairs, tuple[tuple[str, ...], ...]]
    at: float
    said: tuple[Pairs, Variants]


class Signer:
    """Signs with the key of this machine, as long as a library for that is there.

    :param folder: where the key is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: SigningKey | None = None
        self._told = False
        self._signed: dict[int, _Made] = {}

    @property
    def fingerprint(self) -> str | None:
        """What people compare before they accept the key; None before anything was signed."""
        return None if self._key is None else key_fingerprint(self._key.public)

    def sign(self, pairs: Mapping[str, str], port: int, addresses: tuple[str, ...]) -> Pairs:
        """Return the keys and values of a TXT record with their signature; as they are, where none can be made.

        :raises AnnounceError: the key cannot be kept.
        """
        return self.sign_for_links(pairs, port, [addresses])[0]

    def sign_for_links(
        self, pairs: Mapping[str, str], port: int, links: Sequence[tuple[str, ...]]
    ) -> tuple[Pairs, Variants]:
        """Return what is said everywhere, and what is said instead on links whose addresses do not fit into that.

        All of it has one time: clients take an older signature for one that is said again by somebody else.

        :param links: the addresses on each link.
        :raises AnnounceError: the key cannot be kept.
        """
        plain = tuple(pairs.items())
        asked = (plain, tuple(links))
        now = time.time()
        newest = self._newest(port)
        if not 0 <= newest - now <= _CLOCK_SET_BACK_S:
            newest = 0.0
        made = self._signed.get(port)
        if made is not None and made.asked == asked and made.at >= newest and 0 <= now - made.at < SIGN_EVERY_S:
            return made.said
        now = max(now, newest)  # clients take an older one for one that is said again by somebody else
        key = self._get_key()
        if key is None:
            return plain, ()

        def signed(addresses: tuple[str, ...]) -> Pairs:
            return tuple(sign_txt(dict(plain), port, addresses, key, now).items())

        everywhere = signed(tuple(address for link in links for address in link))
        told = dict(everywhere)["ads"]
        short = [link for link in links if not all(covers_address(told, address) for address in link)]
        said = everywhere, tuple((link, signed(link)) for link in short if len(links) > 1)
        self._signed[port] = _Made(asked, now, said)
        self._note(port, now)
        return said

    def _newest(self, port: int) -> float:
        """Return when a port was last signed for, also by another sidecar, or before the clock was set."""
        try:
            return (self._folder / _NEWEST / str(port)).stat().st_mtime
        except OSError:
            return 0.0

    def _note(self, port: int, at: float) -> None:
        with suppress(OSError):  # it is of use only when clocks are set, or two sidecars run
            file = self._folder / _NEWEST / str(port)
            file.parent.mkdir(exist_ok=True)
            file.touch(0o600)
            os.utime(file, (at, at))

    def _get_key(self) -> SigningKey | None:
        if self._key is None and not self._told:
            if not SigningKey.available():
                self._told = True
                log.warning(
                    "Announcements are not signed: the Python package cryptography is missing, so that nobody can tell "
                    "them from forged ones. Install it with `pip install cryptography`."
                )
                return None
            file = self._folder / "key.json"
            seed = kept(file, "key", _SEED, lambda: base64.b64encode(SigningKey.make()).decode(), "the signing key")
            self._key = SigningKey(base64.b64decode(seed))
        return self._key
