"""A sidecar's signatures: seldom made anew, with a key that stays on this machine and stays secret."""

from __future__ import annotations

import logging
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from announcers import identity, signing
from announcers.signing import SIGN_EVERY_S, Signer
from hybridisco import AnnounceError, TxtRecord, encode_txt
from hybridisco.core import trust
from hybridisco.core.model import Proof
from hybridisco.core.txt import SIZE_LIMIT, size
from hybridisco.trust import ed25519

NOW = 1_790_000_000.0
PAIRS = {"txtvers": "1", "id": "abcdefghijklmnopqrstuvwxyz", "kind": "comfyui"}
ADDRESSES = ("10.77.0.1", "fd77::1")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The wall clock: ``clock.now`` in seconds since the epoch."""
    made = SimpleNamespace(now=NOW)
    made.time = lambda: made.now
    monkeypatch.setattr(signing, "time", made)
    return made


def worth(said: signing.Pairs, port: int = 8188, now: float = NOW) -> trust.Signed:
    """What a client makes of it."""
    raw: dict[bytes, bytes | None] = {key.encode(): value.encode() for key, value in said}
    return trust.signature_of(raw, port, ADDRESSES, now, ed25519.verify)


def public(folder: Path) -> str | None:
    """Whose signature a sidecar with this state folder makes."""
    return worth(Signer(folder).sign(PAIRS, 8188, ADDRESSES)).key


def test_what_it_says_is_signed(tmp_path: Path, clock: SimpleNamespace) -> None:
    said = Signer(tmp_path).sign(PAIRS, 8188, ADDRESSES)
    assert dict(said).items() >= PAIRS.items()
    assert said[0] == ("txtvers", "1")
    found = worth(said)
    assert (found.proof, found.at, found.addresses) == (Proof.SIGNED, int(NOW), frozenset(ADDRESSES))


def test_between_looks_the_same_is_said(tmp_path: Path, clock: SimpleNamespace) -> None:
    """A record that changes wakes every machine on the LAN."""
    signer = Signer(tmp_path)
    first = signer.sign(PAIRS, 8188, ADDRESSES)
    for later_s in (5.0, 3600.0, SIGN_EVERY_S - 1):
        clock.now = NOW + later_s
        assert signer.sign(PAIRS, 8188, ADDRESSES) == first


def test_it_is_signed_anew_long_before_it_is_out_of_date(tmp_path: Path, clock: SimpleNamespace) -> None:
    signer = Signer(tmp_path)
    first = signer.sign(PAIRS, 8188, ADDRESSES)
    clock.now = NOW + SIGN_EVERY_S
    second = signer.sign(PAIRS, 8188, ADDRESSES)
    assert second != first
    assert worth(second, now=clock.now).at == int(clock.now)
    assert worth(first, now=clock.now).proof is Proof.SIGNED, "clients that missed the new one still believe the old"
    assert 3 * SIGN_EVERY_S <= trust.VALID_S


@pytest.mark.parametrize(
    ("pairs", "port", "addresses"),
    [
        ({**PAIRS, "st": "busy"}, 8188, ADDRESSES),
        (PAIRS, 8188, (*ADDRESSES, "10.77.0.9")),
    ],
    ids=["record", "addresses"],
)
def test_what_changes_is_signed_anew(
    tmp_path: Path, clock: SimpleNamespace, pairs: dict[str, str], port: int, addresses: tuple[str, ...]
) -> None:
    """And is never older than what was said before, not even when it changes back."""
    signer = Signer(tmp_path)
    signer.sign(PAIRS, 8188, ADDRESSES)
    clock.now = NOW + 60
    assert worth(signer.sign(pairs, port, addresses), port, clock.now).at == int(NOW + 60)
    clock.now = NOW + 120
    assert worth(signer.sign(PAIRS, 8188, ADDRESSES), 8188, clock.now).at == int(NOW + 120)


def test_another_backend_does_not_have_the_first_signed_anew(tmp_path: Path, clock: SimpleNamespace) -> None:
    signer = Signer(tmp_path)
    first = signer.sign(PAIRS, 8188, ADDRESSES)
    clock.now = NOW + 60
    other = signer.sign({**PAIRS, "kind": "rvc"}, 7865, ADDRESSES)
    assert signer.sign(PAIRS, 8188, ADDRESSES) == first
    assert worth(other, 7865, clock.now).proof is Proof.SIGNED
    assert worth(other, 7865, clock.now).key == worth(first).key, "one key for the machine"


def test_a_clock_that_is_set_back_leaves_no_signature_from_the_future(tmp_path: Path, clock: SimpleNamespace) -> None:
    signer = Signer(tmp_path)
    signer.sign(PAIRS, 8188, ADDRESSES)
    clock.now = NOW - 10 * 86_400
    assert worth(signer.sign(PAIRS, 8188, ADDRESSES), now=clock.now).proof is Proof.SIGNED


def test_what_it_remembers_is_bounded(tmp_path: Path, clock: SimpleNamespace) -> None:
    signer = Signer(tmp_path)
    for number in range(100):
        signer.sign({**PAIRS, "ver": str(number)}, 8188, ADDRESSES)
    assert len(signer._signed) == 1


def test_without_the_library_it_says_once_that_nothing_is_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ed25519, "_pyca", lambda: None)  # stands for an environment without cryptography
    signer = Signer(tmp_path)
    with caplog.at_level(logging.DEBUG):
        for port in (8188, 8188, 7865):
            assert signer.sign(PAIRS, port, ADDRESSES) == tuple(PAIRS.items())
    (told,) = caplog.records
    assert told.levelno == logging.WARNING
    assert "`pip install cryptography`" in told.getMessage()
    assert list(tmp_path.iterdir()) == []


# -- the key --------------------------------------------------------------------------------------------


def test_the_key_is_kept_across_restarts(tmp_path: Path, clock: SimpleNamespace) -> None:
    assert public(tmp_path) == public(tmp_path)
    assert public(tmp_path / "other") != public(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_nobody_else_may_read_the_key(tmp_path: Path, clock: SimpleNamespace) -> None:
    public(tmp_path)
    file = tmp_path / "key.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_was_copied_to_another_machine_gives_a_new_key(
    tmp_path: Path, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines with one key could each pretend to be the other."""
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(identity, "_MACHINE_FILES", (str(machine),))
    here = public(tmp_path / "state")
    machine.write_text("fedcba9876543210fedcba9876543210\n")
    there = public(tmp_path / "state")
    assert here != there == public(tmp_path / "state")


@pytest.mark.parametrize("damage", [b"", b"{", b'{"key": "", "machine": "x"}', b"\xff", b"[" * 100_000])
def test_a_damaged_key_is_replaced_and_that_is_said(
    tmp_path: Path, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    before = public(tmp_path)
    (tmp_path / "key.json").write_bytes(damage)
    after = public(tmp_path)
    assert after not in (None, before)
    assert public(tmp_path) == after


def test_a_key_that_cannot_be_kept_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, where a folder should be")
    with pytest.raises(AnnounceError, match="HYBRIDISCO_STATE"):
        Signer(tmp_path / "state").sign(PAIRS, 8188, ADDRESSES)


# -- room -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        ("192.168.100.101", "2001:db8:1:2:3:4:5:6", "fd12:3456:789a:1:2:3:4:5", "fe80::1234:5678:9abc:def0"),
        ("192.168.100.101", "192.168.100.102", "192.168.101.101", *(f"2001:db8::{n}" for n in range(4))),
        # Two cards of IPv4 and of IPv6 with a global, a unique local and a link-local address each, and a VPN.
        ("192.168.1.1", "192.168.2.1", "10.8.0.1", *(f"2001:db8:{n}::1" for n in range(8))),
    ],
    ids=["usual", "many", "server"],
)
def test_a_whole_announcement_fits_with_its_signature(tmp_path: Path, addresses: tuple[str, ...]) -> None:
    record = TxtRecord(
        "abcdefghijklmnopqrstuvwxyz", "comfyui", "0.3.64+git.0123456789abcdef", "/" + "p" * 40, True, "login",
        "starting", ("image", "video", "audio", "3d"), "NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 98_304,
        live=45678,
    )  # fmt: skip
    said = dict(Signer(tmp_path).sign(encode_txt(record, signed=True), 8188, addresses))
    assert said.keys() >= {"id", "kind", "sig", "key", "at", "ads"}
    assert size(said) <= SIZE_LIMIT
