"""Signing what a sidecar says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hybridisco.core import trust
from hybridisco.trust import ed25519


class SigningKey:
    """A private key and its public one.

    :param seed: the private key, 32 octets.
    :raises AnnounceError: the library is missing, or it is no key.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self.public = trust.encoded(ed25519.public(seed))

    @staticmethod
    def available() -> bool:
        """Whether messages can be signed here."""
        return ed25519.available()

    @staticmethod
    def make() -> bytes:
        """Return a new private key. :raises AnnounceError: the library is missing."""
        return ed25519.generate()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return ed25519.sign(self._seed, message)


def sign_txt(
    pairs: Mapping[str, str], port: int, addresses: Iterable[str], key: SigningKey, now: float
) -> dict[str, str]:
    """Return the keys and values of a TXT record with the four that make it signed, at ``now`` (since the epoch)."""
    told = {**pairs, "key": key.public, "at": str(int(now)), "ads": trust.told_addresses(addresses)}
    octets = trust.message({k.encode(): v.encode() for k, v in told.items()}, port)
    return {**told, "sig": trust.encoded(key.sign(octets))}
