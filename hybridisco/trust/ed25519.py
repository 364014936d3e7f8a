"""Ed25519 (RFC 8032): making keys, signing, verifying. The only file that knows cryptography and ecdsa.

PyCA ``cryptography`` does all of it (the extra ``[trust]``). Where it is missing, as inside Blender, the pure-Python
``ecdsa`` can still verify, some hundred times slower. Where both are missing, nothing can be checked, and it says so.
Both are imported when they are first needed: they cost start-up time that most commands need not pay.

Libraries differ in which odd keys they let through. What follows is refused here, before either is asked:

- a point of small order as the key: then there are signatures that fit nearly any message, so that it proves nothing;
- an encoding that is not the shortest one (RFC 8032 section 5.1.3), as the key or in the signature: the same key
  could be written in two ways, and would be two keys to whoever compares texts.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any, cast

from hybridisco.core.errors import AnnounceError

SEED_OCTETS = KEY_OCTETS = 32
SIGNATURE_OCTETS = 64

_FIELD = 2**255 - 19
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
#: The y coordinates of the eight points of small order; x, of which only a sign is written, does not matter.
_SMALL_ORDER = frozenset({0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8})


def available() -> bool:
    """Whether keys can be made and messages signed here."""
    return _pyca() is not None


def can_verify() -> bool:
    """Whether signatures can be checked here; else :func:`verify` returns None."""
    return _pyca() is not None or _pure() is not None


def generate() -> bytes:
    """Return a new private key: a random seed of 32 octets. :raises AnnounceError: the library is missing."""
    seed: bytes = _signing().Ed25519PrivateKey.generate().private_bytes_raw()
    return seed


def public(seed: bytes) -> bytes:
    """Return the public key of a private one: 32 octets. :raises AnnounceError: as :func:`sign`."""
    key: bytes = _private(seed).public_key().public_bytes_raw()
    return key


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the signature of ``message``: 64 octets.

    :raises AnnounceError: the library is missing, or ``seed`` does not have 32 octets.
    """
    signature: bytes = _private(seed).sign(message)
    return signature


def verify(key: bytes, signature: bytes, message: bytes) -> bool | None:
    """Tell whether the owner of ``key`` signed ``message``; None if that cannot be checked here.

    Keys and signatures of a wrong length or value are never right, and never an error.
    """
    if len(key) != KEY_OCTETS or len(signature) != SIGNATURE_OCTETS or _refused(key) or _refused(signature[:32]):
        return False
    pyca = _pyca()
    if pyca is not None:
        return _verified_by_pyca(pyca, key, signature, message)
    pure = _pure()
    return None if pure is None else _verified_by_ecdsa(pure, key, signature, message)


def _refused(point: bytes) -> bool:
    """Whether an encoded point has small order or is not written in the one right way."""
    y = int.from_bytes(point, "little") & (2**255 - 1)  # the bit above is the sign of x
    return y >= _FIELD or y in _SMALL_ORDER


def _verified_by_pyca(pyca: ModuleType, key: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        pyca.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: not a point of the curve
        return False
    return True


def _verified_by_ecdsa(pure: ModuleType, key: bytes, signature: bytes, message: bytes) -> bool:
    from ecdsa.errors import MalformedPointError

    try:
        return bool(pure.PublicKey(pure.generator_ed25519, key).verify(message, signature))
    except (ValueError, MalformedPointError):  # it is an AssertionError
        return False


def _private(seed: bytes) -> Any:
    signing = _signing()
    if len(seed) != SEED_OCTETS:
        raise AnnounceError(
            f"A private key of {SEED_OCTETS} octets is wanted, not one of {len(seed)}: its file was probably cut off. "
            "Remove the file to get a new key; clients then ask whether they may trust it."
        )
    return signing.Ed25519PrivateKey.from_private_bytes(seed)


def _signing() -> ModuleType:
    pyca = _pyca()
    if pyca is None:
        raise AnnounceError(
            "Announcements cannot be signed here: the Python package cryptography is missing or does not work. "
            "Install it with `pip install cryptography`."
        )
    return pyca


@cache
def _pyca() -> ModuleType | None:
    """Return cryptography's Ed25519, or None where it is missing or this build of it lacks Ed25519 (FIPS)."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519

        ed25519.Ed25519PrivateKey.from_private_bytes(bytes(SEED_OCTETS))
    except Exception:  # noqa: BLE001 - UnsupportedAlgorithm, ImportError, and whatever a half-installed one raises
        return None
    return ed25519


@cache
def _pure() -> ModuleType | None:
    """Return ecdsa's EdDSA, or None where it is missing or older than 0.18, which has no Ed25519."""
    try:
        import ecdsa.eddsa as eddsa
    except ImportError:
        return None
    return cast("ModuleType", eddsa)
