"""What a sidecar signs its announcements with: one key for the machine, kept beside the ids.

The signature covers the whole TXT record, the port, and the addresses that may be dialled (:mod:`hybridisco.core.trust`
has the format). It is renewed a few times a day, so that an old one cannot be used for ever; a change of the record
every few seconds would wake every phone on the LAN, so between that the same one is said.
"""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path

from announcers.identity import kept
from hybridisco import SigningKey, sign_txt

log = logging.getLogger(__name__)

SIGN_EVERY_S = 8 * 3600.0  # clients believe a signature for a day
SIGNATURE_KEYS = frozenset({"key", "at", "ads", "sig"})
_SEED = re.compile(r"[A-Za-z0-9+/]{43}=")

Pairs = tuple[tuple[str, str], ...]


class Signer:
    """Signs with the key of this machine, as long as a library for that is there.

    :param folder: where the key is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: SigningKey | None = None
        self._told = False
        self._signed: dict[tuple[Pairs, int, tuple[str, ...]], tuple[float, Pairs]] = {}

    def sign(self, pairs: Mapping[str, str], port: int, addresses: tuple[str, ...]) -> Pairs:
        """Return the keys and values of a TXT record with their signature; as they are, where none can be made.

        :raises AnnounceError: the key cannot be kept.
        """
        plain = tuple(pairs.items())
        said = (plain, port, addresses)
        made = self._signed.get(said)
        now = time.time()
        if made is not None and 0 <= now - made[0] < SIGN_EVERY_S:
            return made[1]
        key = self._get_key()
        if key is None:
            return plain
        signed = tuple(sign_txt(dict(plain), port, addresses, key, now).items())
        # Of each backend only what it says now: the port is the same, or it has gone.
        self._signed = {other: each for other, each in self._signed.items() if other[1] != port}
        self._signed[said] = (now, signed)
        return signed

    def _get_key(self) -> SigningKey | None:
        if self._key is None and not self._told:
            if not SigningKey.available():
                self._told = True
                log.warning(
                    "Announcements are not signed: the Python package cryptography is missing, so that nobody can tell "
                    "them from forged ones. Install it with `pip install 'hybridisco[trust]'`."
                )
                return None
            file = self._folder / "key.json"
            seed = kept(file, "key", _SEED, lambda: base64.b64encode(SigningKey.make()).decode(), "the signing key")
            self._key = SigningKey(base64.b64decode(seed))
        return self._key
