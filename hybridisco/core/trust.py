"""Trust on first use: what a signature covers, and what it is worth to us. Pure; the cipher comes in as a function.

Theory of operation. A sidecar signs its TXT record with a key of its own (Ed25519, RFC 8032): the octets of all keys
and values but ``sig``, and the port. Four of them are there for this: ``key``, ``at`` (when it was signed), ``ads``
(the addresses that may be dialled) and ``sig``. Whoever copies the record to another machine cannot change the
addresses, and whoever says it again later is told by ``at``: it is good for :data:`VALID_S`, and an older one than the
newest that was seen is not believed any more.

A client remembers the key at first sight, once the service has answered as what it says it is, as ssh's known_hosts
does. From then on only that key may speak for that id. :func:`judge` is the table of what follows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from hybridisco.core import safe
from hybridisco.core.model import Announcement, Proof, SourceName, Trust

#: How a client treats keys: the setting ``trust.mode``.
FIRST_USE, PINNED_ONLY, OFF = "first-use", "pinned", "off"

VALID_S = 24 * 3600.0  # seconds that a signature is good for; sidecars sign anew long before
SIGN_EVERY_S = 8 * 3600.0
CLOCKS_DIFFER_S = 3600.0  # so far may the clocks of two machines be apart

KEY_OCTETS, SIGNATURE_OCTETS = 32, 64
_DOMAIN = b"hybridisco announcement 1\0"  # nothing else that is signed with such a key can be taken for one
_DIGEST_OCTETS = 10  # of an IPv6 address: 80 bits, which nobody finds another address for in his own network
_TOLD_LIMIT = 52  # octets of all addresses together, three of IPv4 and four of IPv6: there is no room for more

Verify = Callable[[bytes, bytes, bytes], bool | None]
Pairs = Mapping[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Signed:
    """What an announcement's signature is worth by itself.

    ``key`` is the key in base64, ``at`` when it was signed (seconds since the epoch), ``addresses`` those of the asked
    addresses that it covers.
    """

    proof: Proof
    key: str | None = None
    at: int = 0
    addresses: frozenset[str] = frozenset()


def message(pairs: Pairs, port: int) -> bytes:
    """Return the octets that are signed."""
    said = sorted((key.lower(), value or b"") for key, value in pairs.items() if key.lower() != b"sig")
    return _DOMAIN + port.to_bytes(2, "big") + b"".join(_sized(key) + _sized(value) for key, value in said)


def _sized(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def told_addresses(addresses: Iterable[str]) -> str:
    """Return the value of ``ads``: IPv4 addresses as they are, of IPv6 addresses a digest, and how many are of IPv4.

    Where there is no room for all, those that reach farthest are told.
    """
    every = {ip_address(each.partition("%")[0]) for each in addresses}
    ranked = sorted(every, key=lambda each: (each.version, each.is_link_local, each.packed))
    told: list[bytes] = []
    for each in ranked:
        octets = each.packed if isinstance(each, IPv4Address) else _digest(each.packed)
        if sum(map(len, told)) + len(octets) <= _TOLD_LIMIT:
            told.append(octets)
    return encoded(bytes([sum(len(octets) == 4 for octets in told)]) + b"".join(told))


def covers(told: str, address: str) -> bool:
    """Return whether ``told``, a value of ``ads``, has this address."""
    octets = decoded(told)
    if not octets:
        return False
    split = 1 + 4 * octets[0]
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return ip.packed in _cut(octets[1:split], 4)
    return _digest(ip.packed) in _cut(octets[split:], _DIGEST_OCTETS)


def _cut(octets: bytes, size: int) -> set[bytes]:
    return {octets[at : at + size] for at in range(0, len(octets) - size + 1, size)}


def _digest(packed: bytes) -> bytes:
    return hashlib.sha256(packed).digest()[:_DIGEST_OCTETS]


def encoded(octets: bytes) -> str:
    """Return octets as they stand in a TXT record: base64 without padding."""
    return base64.b64encode(octets).decode().rstrip("=")


def decoded(text: str) -> bytes | None:
    """Return what :func:`encoded` made ``text`` of, or None if it did not."""
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return octets if encoded(octets) == text else None


def signature_of(pairs: Pairs, port: int, addresses: Iterable[str], now: float, verify: Verify) -> Signed:
    """Return what the signature in a TXT record is worth at ``now``, for the addresses that one would dial."""
    said: dict[bytes, str] = {}
    for key, value in pairs.items():
        said.setdefault(key.lower(), (value or b"").decode("ascii", "replace"))
    if not said.keys() & {b"sig", b"key"}:
        return Signed(Proof.UNSIGNED)
    signer, signature = decoded(said.get(b"key", "")), decoded(said.get(b"sig", ""))
    at = safe.whole(said.get(b"at", ""), 1, 2**40)
    if not signer or not signature or len(signer) != KEY_OCTETS or len(signature) != SIGNATURE_OCTETS or not at:
        return Signed(Proof.FALSE)
    good = verify(signer, signature, message(pairs, port))
    covered = frozenset(each for each in addresses if covers(said.get(b"ads", ""), each))
    if good is False or not covered:
        return Signed(Proof.FALSE, encoded(signer), at)
    if good is None:
        return Signed(Proof.UNCHECKED, encoded(signer), at, covered)
    fresh = at - CLOCKS_DIFFER_S <= now <= at + VALID_S + CLOCKS_DIFFER_S
    return Signed(Proof.SIGNED if fresh else Proof.OUTDATED, encoded(signer), at, covered)


def judge(announcement: Announcement, pins: Mapping[str, str], mode: str) -> Trust:
    """Return whether an announcement may speak for its id.

    ============================  ===========================  ==============================================
    its signature                 no key is known for its id   a key is known
    ============================  ===========================  ==============================================
    good                          ``new``                      ``pinned`` by that key, else ``untrusted``
    none                          ``unsigned``                 ``untrusted``
    wrong, or out of date         ``untrusted``                ``untrusted``
    cannot be checked here        ``unchecked``                ``unchecked`` with that key, else ``untrusted``
    ============================  ===========================  ==============================================

    Where only pinned keys are accepted, the middle column is ``untrusted`` throughout. What the user wrote down, or
    what was found by looking, needs no key: nobody claims anything.
    """
    if announcement.source is not SourceName.MDNS or mode == OFF:
        return Trust.UNCHECKED
    pin = pins.get(announcement.id or "")
    if announcement.proof in (Proof.FALSE, Proof.OUTDATED):
        return Trust.UNTRUSTED
    if pin is not None:
        if announcement.signer != pin:
            return Trust.UNTRUSTED
        return Trust.PINNED if announcement.proof is Proof.SIGNED else Trust.UNCHECKED
    if mode == PINNED_ONLY:
        return Trust.UNTRUSTED
    return {Proof.SIGNED: Trust.NEW, Proof.UNCHECKED: Trust.UNCHECKED}.get(announcement.proof, Trust.UNSIGNED)


def has_owner(recalled: Announcement, pins: Mapping[str, str], mode: str) -> bool:
    """Return whether what is only remembered belongs to somebody with a key: another may answer there now."""
    return mode == PINNED_ONLY or (mode != OFF and (recalled.signer is not None or recalled.id in pins))
