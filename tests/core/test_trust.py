"""Trust on first use: what a signature covers, what it is worth, and who may speak for an id."""

from __future__ import annotations

import base64
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridisco.core import trust, txt
from hybridisco.core.model import Announcement, Proof, SourceName, Trust
from hybridisco.core.trust import (
    CLOCKS_DIFFER_S,
    FIRST_USE,
    OFF,
    PINNED_ONLY,
    VALID_S,
    covers,
    has_owner,
    judge,
    told_addresses,
)
from hybridisco.core.txt import TxtRecord
from hybridisco.sources.table import pairs
from hybridisco.trust import ed25519
from hybridisco.trust.signing import SigningKey, sign_txt
from tests.say import mdns, online, scan

NOW = 1_790_000_000.0
KEY, OTHER = SigningKey(b"1" * 32), SigningKey(b"2" * 32)
ADDRESSES = ("10.77.0.1", "fd77::1", "fe80::1")
RECORD = TxtRecord("abcdefghijklmnopqrstuvwxyz", "comfyui", "0.3.64", "/base", True, "key", "busy", ("image",))

Pairs = dict[bytes, bytes | None]
PAIRS = st.dictionaries(st.binary(min_size=1, max_size=8), st.none() | st.binary(max_size=20), max_size=6)


def octets_of(told: dict[str, str]) -> bytes:
    """The TXT record on the wire."""
    return b"".join(bytes([len(each)]) + each for each in (f"{key}={value}".encode() for key, value in told.items()))


def announced(by: SigningKey = KEY, **changes: str) -> Pairs:
    """A signed TXT record, and what somebody has changed in it afterwards."""
    told = {**sign_txt(txt.encode(RECORD, signed=True), 8188, ADDRESSES, by, NOW), **changes}
    return dict(pairs(octets_of(told)))


def signed(
    said: Pairs, port: int = 8188, addresses: tuple[str, ...] = ADDRESSES, now: float = NOW, verify: object = None
) -> trust.Signed:
    return trust.signature_of(said, port, addresses, now, verify or ed25519.verify)  # type: ignore[arg-type]


# -- what is signed -------------------------------------------------------------------------------------


def test_an_honest_announcement_is_signed() -> None:
    found = signed(announced())
    assert found == trust.Signed(Proof.SIGNED, KEY.public, int(NOW), frozenset(ADDRESSES))


def test_one_without_a_signature_is_unsigned_and_no_lie() -> None:
    assert signed({b"kind": b"comfyui"}) == trust.Signed(Proof.UNSIGNED)
    assert signed({}) == trust.Signed(Proof.UNSIGNED)


@given(PAIRS, st.integers(0, 65535), st.randoms())
def test_the_order_and_the_letters_of_keys_do_not_matter(said: Pairs, port: int, random: object) -> None:
    """Whoever passes a record on may change both (RFC 6763 section 6.4)."""
    items = list(said.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert trust.message(dict(items), port) == trust.message(said, port)
    if len({key.lower() for key in said}) == len(said):
        assert trust.message({key.upper(): value for key, value in items}, port) == trust.message(said, port)


@given(PAIRS, PAIRS, st.integers(0, 65535), st.integers(0, 65535))
def test_other_words_are_another_message(one: Pairs, other: Pairs, port: int, other_port: int) -> None:
    def meaning(said: Pairs, port: int) -> object:
        return port, sorted((key.lower(), value or b"") for key, value in said.items() if key.lower() != b"sig")

    same = meaning(one, port) == meaning(other, other_port)
    assert (trust.message(one, port) == trust.message(other, other_port)) is same


def test_values_cannot_be_moved_into_their_neighbours() -> None:
    assert trust.message({b"a": b"b\0\1c"}, 1) != trust.message({b"a": b"b", b"c": b""}, 1)


def test_the_signature_itself_is_not_signed() -> None:
    assert trust.message({b"a": b"1", b"SIG": b"x"}, 1) == trust.message({b"a": b"1", b"sig": b"y"}, 1)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_octet_of_the_record_can_be_changed(data: st.DataObject) -> None:
    octets = octets_of(sign_txt(txt.encode(RECORD, signed=True), 8188, ADDRESSES, KEY, NOW))
    at, bits = data.draw(st.integers(0, len(octets) - 1)), data.draw(st.integers(1, 255))
    changed = octets[:at] + bytes([octets[at] ^ bits]) + octets[at + 1 :]
    found = signed(dict(pairs(changed)))
    if found.proof is Proof.SIGNED:  # a letter of a key in another case
        assert txt.decode(pairs(changed)) == txt.decode(pairs(octets))
        assert {k.lower(): v for k, v in pairs(changed).items()} == dict(pairs(octets))
    else:
        assert found.proof in (Proof.FALSE, Proof.UNSIGNED)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "another"}, {"kind": "litellm"}, {"path": "/evil"}, {"tls": "0"}, {"auth": "none"}, {"new": "1"},
        {"ads": told_addresses(["10.77.0.66"])}, {"ads": told_addresses([*ADDRESSES, "10.77.0.66"])},
        {"at": str(int(NOW) + 1)}, {"key": OTHER.public}, {"live": "1"},
    ],
    ids=str,
)  # fmt: skip
def test_no_value_can_be_changed(changes: dict[str, str]) -> None:
    assert signed(announced(**changes), addresses=(*ADDRESSES, "10.77.0.66")).proof is Proof.FALSE


def test_nothing_can_be_left_out() -> None:
    said = announced()
    for key in said:
        without = {other: value for other, value in said.items() if other != key}
        assert signed(without).proof is Proof.FALSE, key


def test_the_port_cannot_be_changed() -> None:
    for port in (0, 1, 8187, 8189, 8188 ^ 0x8000, 65535):
        assert signed(announced(), port).proof is Proof.FALSE


@given(st.ip_addresses().map(str).filter(lambda one: one not in ADDRESSES))
@settings(deadline=None)
def test_the_address_cannot_be_changed(other: str) -> None:
    assert signed(announced(), addresses=(other,)).proof is Proof.FALSE


def test_of_several_addresses_those_that_are_signed_count() -> None:
    found = signed(announced(), addresses=("10.77.0.66", "10.77.0.1"))
    assert (found.proof, found.addresses) == (Proof.SIGNED, frozenset({"10.77.0.1"}))


def test_without_an_address_there_is_nothing_to_believe() -> None:
    assert signed(announced(), addresses=()).proof is Proof.FALSE


def test_another_key_signs_for_itself_only() -> None:
    assert signed(announced(OTHER)).key == OTHER.public
    mixed = announced(OTHER)
    assert signed({**mixed, b"key": KEY.public.encode()}).proof is Proof.FALSE
    assert signed({**mixed, b"sig": announced()[b"sig"]}).proof is Proof.FALSE


# -- time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age_s", "proof"),
    [
        (0, Proof.SIGNED),
        (trust.SIGN_EVERY_S, Proof.SIGNED),
        (VALID_S, Proof.SIGNED),
        (VALID_S + CLOCKS_DIFFER_S, Proof.SIGNED),
        (VALID_S + CLOCKS_DIFFER_S + 1, Proof.OUTDATED),
        (365 * 86_400, Proof.OUTDATED),
        (-CLOCKS_DIFFER_S, Proof.SIGNED),
        (-CLOCKS_DIFFER_S - 1, Proof.OUTDATED),
    ],
)
def test_how_long_a_signature_is_good_for(age_s: float, proof: Proof) -> None:
    found = signed(announced(), now=NOW + age_s)
    assert (found.proof, found.key, found.at) == (proof, KEY.public, int(NOW))


def test_what_is_out_of_date_is_still_told_from_what_is_false() -> None:
    assert signed(announced(kind="rvc"), now=NOW + 10 * VALID_S).proof is Proof.FALSE


# -- what cannot be right -------------------------------------------------------------------------------

GOOD_KEY, GOOD_SIG = KEY.public, announced()[b"sig"].decode()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "changes",
    [
        {"key": ""}, {"key": "A"}, {"key": "!" * 43}, {"key": GOOD_KEY[:-1]}, {"key": GOOD_KEY + "="},
        {"key": GOOD_KEY + "AAAA"}, {"key": "é" * 40}, {"key": f" {GOOD_KEY}"}, {"key": trust.encoded(bytes(32))},
        {"key": trust.encoded(b"\xff" * 32)}, {"key": base64.urlsafe_b64encode(b"\xff" * 32).decode().rstrip("=")},
        {"sig": ""}, {"sig": GOOD_SIG[:-2]}, {"sig": GOOD_SIG + "=="}, {"sig": trust.encoded(bytes(64))},
        {"sig": "é" * 43},
        {"at": ""}, {"at": "0"}, {"at": "-1"}, {"at": "1e9"}, {"at": "9" * 16}, {"at": "9" * 200}, {"at": "²"},
        {"at": "١"}, {"at": " 1"}, {"at": "1_000"},
        {"ads": ""}, {"ads": "!"}, {"ads": "A"}, {"ads": "/w"},
    ],
    ids=str,
)  # fmt: skip
def test_keys_signatures_times_and_addresses_that_are_none(changes: dict[str, str]) -> None:
    assert signed(announced(**changes)).proof is Proof.FALSE


def test_the_last_character_of_base64_has_no_second_way_to_be_written() -> None:
    """Some of its bits are not used; were they ignored, one key would be several."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    same = [trust.decoded(GOOD_KEY[:-1] + last) for last in alphabet]
    assert sum(octets is not None for octets in same) == 16
    assert len(set(same) - {None}) == 16


@given(PAIRS, st.integers(0, 65535), st.lists(st.ip_addresses().map(str), max_size=3))
def test_anything_can_be_judged(said: Pairs, port: int, addresses: list[str]) -> None:
    for more in ({}, {b"sig": b"\xff"}, {b"key": None, b"sig": None}):
        found = signed({**said, **more}, port, tuple(addresses))
        assert found.proof in (Proof.UNSIGNED, Proof.FALSE)


def test_where_nothing_can_be_checked_it_says_so() -> None:
    found = signed(announced(), verify=lambda *_: None)
    assert (found.proof, found.key, found.addresses) == (Proof.UNCHECKED, KEY.public, frozenset(ADDRESSES))
    assert signed(announced(), addresses=("10.77.0.66",), verify=lambda *_: None).proof is Proof.FALSE


# -- addresses ------------------------------------------------------------------------------------------


@given(st.lists(st.ip_addresses().map(str), max_size=12), st.ip_addresses().map(str))
def test_what_is_told_is_covered_and_nothing_else(addresses: list[str], other: str) -> None:
    told = told_addresses(addresses)
    covered = [each for each in addresses if covers(told, each)]
    four = sum(":" not in each for each in set(addresses))
    if 4 * four + 10 * (len(set(addresses)) - four) <= 52:  # there is room for all
        assert covered == addresses
    assert covered or not addresses
    assert not covers(told, other) or other in addresses


def test_a_zone_is_no_part_of_an_address() -> None:
    assert covers(told_addresses(["fe80::1%eth0"]), "fe80::1%wlan0")


@given(st.binary(max_size=200), st.ip_addresses().map(str))
def test_any_value_can_be_asked_for_an_address(octets: bytes, address: str) -> None:
    assert covers(trust.encoded(octets), address) in (True, False)


@given(st.text(max_size=100))
def test_any_text_can_be_decoded(text: str) -> None:
    octets = trust.decoded(text)
    assert octets is None or trust.encoded(octets) == text


def test_the_order_of_addresses_does_not_matter() -> None:
    """Or a sidecar would sign anew whenever the system lists them in another order."""
    assert len({told_addresses(each) for each in itertools.permutations(ADDRESSES)}) == 1


# -- who may speak --------------------------------------------------------------------------------------


def said(proof: Proof, key: str | None = None) -> Announcement:
    return mdns("box", "10.77.0.1", id="box1", proof=proof, signer=key)


PINS = {"box1": "pinned", "box2": "other"}


@pytest.mark.parametrize(
    ("proof", "key", "unknown", "known"),
    [
        (Proof.SIGNED, "pinned", Trust.NEW, Trust.PINNED),
        (Proof.SIGNED, "other", Trust.NEW, Trust.UNTRUSTED),
        (Proof.UNSIGNED, None, Trust.UNSIGNED, Trust.UNTRUSTED),
        (Proof.FALSE, None, Trust.UNTRUSTED, Trust.UNTRUSTED),
        (Proof.FALSE, "pinned", Trust.UNTRUSTED, Trust.UNTRUSTED),
        (Proof.OUTDATED, "pinned", Trust.UNTRUSTED, Trust.UNTRUSTED),
        (Proof.UNCHECKED, "pinned", Trust.UNCHECKED, Trust.UNCHECKED),
        (Proof.UNCHECKED, "other", Trust.UNCHECKED, Trust.UNTRUSTED),
    ],
)
def test_who_may_speak_for_an_id(proof: Proof, key: str | None, unknown: Trust, known: Trust) -> None:
    one = said(proof, key)
    assert judge(one, {}, FIRST_USE) is judge(one, {"box2": "pinned"}, FIRST_USE) is unknown
    assert judge(one, PINS, FIRST_USE) is known
    assert judge(one, {}, PINNED_ONLY) is Trust.UNTRUSTED
    assert judge(one, PINS, PINNED_ONLY) is known
    assert judge(one, {}, OFF) is judge(one, PINS, OFF) is Trust.UNCHECKED


def test_without_an_id_there_is_nobody_to_pretend_to_be() -> None:
    assert judge(mdns("box", "10.77.0.1"), PINS, FIRST_USE) is Trust.UNSIGNED
    assert judge(mdns("box", "10.77.0.1"), PINS, PINNED_ONLY) is Trust.UNTRUSTED


@pytest.mark.parametrize("mode", [FIRST_USE, PINNED_ONLY, OFF])
def test_what_was_found_by_looking_needs_no_key(mode: str) -> None:
    found = scan("10.77.0.1", online())
    assert found.source is not SourceName.MDNS
    assert judge(found, PINS, mode) is Trust.UNCHECKED


@pytest.mark.parametrize(
    ("key", "pins", "first_use"), [(None, {}, False), ("pinned", {}, True), (None, PINS, True), ("pinned", PINS, True)]
)
def test_what_is_remembered_and_has_an_owner(key: str | None, pins: dict[str, str], first_use: bool) -> None:
    """Others may answer at its address today; where only known keys count, that holds for everything."""
    remembered = said(Proof.UNSIGNED, key)
    assert has_owner(remembered, pins, FIRST_USE) is first_use
    assert has_owner(remembered, pins, PINNED_ONLY)
    assert not has_owner(remembered, pins, OFF)
