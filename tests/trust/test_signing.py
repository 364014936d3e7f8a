"""Signing: what is published can be read back and checked by whoever has nothing but the record."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridisco.core import trust, txt
from hybridisco.core.errors import AnnounceError
from hybridisco.core.model import Proof
from hybridisco.core.txt import SIGNATURE_ROOM, SIZE_LIMIT, TxtRecord, size
from hybridisco.trust import ed25519
from hybridisco.trust.signing import SigningKey, sign_txt

NOW = 1_790_000_000.0
KEY = SigningKey(b"1" * 32)
ADDRESSES = st.lists(st.ip_addresses(v=4).map(str), min_size=1, max_size=3, unique=True)
SIX = st.lists(st.ip_addresses(v=6).map(str), max_size=4, unique=True)


@given(st.integers(1, 65535), ADDRESSES, SIX, st.floats(0, 4e9).filter(lambda now: now >= 1))
@settings(deadline=None)
def test_what_is_signed_is_good_for_its_port_and_addresses(
    port: int, four: list[str], six: list[str], now: float
) -> None:
    record = TxtRecord("abcdefghijklmnopqrstuvwxyz", "comfyui", "0.3.64", live=45678)
    told = sign_txt(txt.encode(record, signed=True), port, [*four, *six], KEY, now)
    raw: dict[bytes, bytes | None] = {key.encode(): value.encode() for key, value in told.items()}
    found = trust.signature_of(raw, port, [*four, *six], now, ed25519.verify)
    assert found == trust.Signed(Proof.SIGNED, KEY.public, int(now), frozenset([*four, *six]))
    assert txt.decode(raw) == (record, 0), "what it says is still there, and nothing is taken for dirt"
    assert next(iter(told)) == "txtvers"
    assert size(told) - size(txt.encode(record)) <= SIGNATURE_ROOM
    assert size(told) <= SIZE_LIMIT


def test_the_same_is_signed_in_the_same_way() -> None:
    """Ed25519 has no randomness: a record does not change because it is signed again."""
    assert sign_txt({"kind": "rvc"}, 7865, ["10.77.0.1"], KEY, NOW) == sign_txt(
        {"kind": "rvc"}, 7865, ["10.77.0.1"], KEY, NOW + 0.5
    )


def test_a_new_key_is_another_each_time() -> None:
    assert SigningKey.available()
    made = {SigningKey(SigningKey.make()).public for _ in range(5)}
    assert len(made) == 5
    assert all(len(trust.decoded(each) or b"") == trust.KEY_OCTETS for each in made)


def test_a_key_that_was_cut_off_is_refused_in_words() -> None:
    with pytest.raises(AnnounceError, match="cut off"):
        SigningKey(b"1" * 31)


def test_where_the_library_is_missing_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ed25519, "_pyca", lambda: None)  # stands for an environment without cryptography
    assert not SigningKey.available()
    with pytest.raises(AnnounceError, match="pip install"):
        SigningKey.make()
