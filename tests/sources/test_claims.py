"""From instances to announcements: which signature counts, and who stands beside whom."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from ipaddress import ip_interface

import pytest

from hybridisco.core import trust
from hybridisco.core.model import Announcement, Proof, Withdrawal
from hybridisco.core.packet import PTR, SRV, TXT, A, Packet, Record
from hybridisco.core.txt import SERVICE_TYPE
from hybridisco.sources.claims import Claims
from hybridisco.sources.hosts import DOUBT_S
from hybridisco.sources.interfaces import Interface
from hybridisco.sources.table import Table
from hybridisco.trust import ed25519
from hybridisco.trust.signing import SigningKey, sign_txt

ETH0 = Interface("eth0", 2, (ip_interface("10.77.0.9/24"),))
BOX, MALLORY = "10.77.0.1", "10.77.0.66"
ID = "abcdefghijklmnopqrstuvwxyz"
KEY, OTHER = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
NOW = time.time()


class Lan:
    """A table and its claims, and what came of them."""

    def __init__(self) -> None:
        self.table = Table([SERVICE_TYPE])
        self.doubted: list[str] = []
        self.standing: dict[str, Announcement] = {}
        self.claims = Claims(self.table, {SERVICE_TYPE: None}, ed25519.verify, self._emit, self.doubted.append)
        self.claims.set_network((ETH0,), frozenset())
        self.now = 1000.0

    def _emit(self, datum: Announcement | Withdrawal) -> None:
        if isinstance(datum, Withdrawal):
            del self.standing[datum.ref]
        else:
            self.standing[datum.ref] = datum

    def hear(
        self, name: str = "box", address: str = BOX, key: SigningKey | None = KEY, at: float = NOW, source: str = ""
    ) -> None:
        """Somebody announces, signed with ``key`` at a time."""
        pairs = {"txtvers": "1", "id": ID, "kind": "comfyui"}
        if key is not None:
            pairs = sign_txt(pairs, 8188, [address], key, at)
        text = b"".join(bytes([len(f"{k}={v}")]) + f"{k}={v}".encode() for k, v in pairs.items())
        full, host = f"{name}.{SERVICE_TYPE}", f"{name}-{address}.local."
        records = (
            Record(SERVICE_TYPE, PTR, 4500, False, full),
            Record(full, SRV, 120, True, (host, 8188)),
            Record(full, TXT, 4500, True, text),
            Record(host, A, 120, True, address),
        )
        for instance, announced in self.table.heard(Packet(source or address, "eth0", records), self.now).items():
            self.claims.resolve(instance, self.now, announced=announced)

    def proofs(self) -> dict[str, Proof]:
        """What stands, by its address, and what its signature is worth."""
        return {one.endpoints[0].address: one.proof for one in self.standing.values()}


@pytest.fixture
async def lan() -> AsyncIterator[Lan]:
    made = Lan()
    yield made
    await made.claims.presence.close()


async def test_a_good_signature(lan: Lan) -> None:
    lan.hear()
    assert lan.proofs() == {BOX: Proof.SIGNED}


async def test_a_copy_that_was_said_before_the_victim_moved_is_out_of_date_once_it_has(lan: Lan) -> None:
    """Mallory says the record under a name of his while it is still true, and takes over the old address later."""
    lan.hear(at=NOW)
    lan.hear("twin", at=NOW, source=MALLORY)
    assert set(lan.proofs().values()) == {Proof.SIGNED}
    lan.now += 60
    lan.hear(address="10.77.0.2", at=NOW + 60)
    twin = [one.proof for one in lan.standing.values() if one.name == "twin"]
    assert Proof.OUTDATED in twin
    lan.now += DOUBT_S + 1
    lan.hear("twin", at=NOW, source=MALLORY)
    lan.claims.age(lan.now)
    assert [one.proof for one in lan.standing.values() if one.name == "twin"] == [Proof.OUTDATED]


async def test_an_older_one_is_not_believed_however_many_others_were_seen_since(lan: Lan) -> None:
    lan.hear(at=NOW)
    for number in range(5000):
        lan.claims._note_newest((b"%d" % number, OTHER.public), int(NOW))
    lan.hear("twin", at=NOW - 60, source=MALLORY)
    assert [one.proof for one in lan.standing.values() if one.name == "twin"] == [Proof.OUTDATED]


async def test_under_one_name_both_stand_until_one_is_not_repeated(lan: Lan) -> None:
    lan.hear()
    lan.now += 1
    lan.hear(address=MALLORY, key=OTHER)
    assert set(lan.proofs()) == {BOX, MALLORY}
    assert lan.doubted, "it is worth a question"
    lan.doubted.clear()
    lan.now += 5
    lan.hear(address=MALLORY, key=OTHER)
    lan.claims.age(lan.now)
    assert lan.doubted, "and again, as long as both stand"
    lan.now += DOUBT_S
    lan.hear(address=MALLORY, key=OTHER)
    lan.claims.age(lan.now)
    assert set(lan.proofs()) == {MALLORY}, "nobody has answered"


async def test_one_name_with_ever_new_keys(lan: Lan) -> None:
    for number in range(40):
        lan.hear(key=SigningKey(bytes([number + 1]) * 32))
        lan.now += 0.1
    assert len(lan.standing) <= 8


async def test_what_is_signed_for_one_type_is_not_believed_of_another(lan: Lan) -> None:
    table = Table(["_wyoming._tcp.local."])
    told: list[Announcement | Withdrawal] = []
    claims = Claims(table, {"_wyoming._tcp.local.": "rvc"}, ed25519.verify, told.append, lambda _: None)
    claims.set_network((ETH0,), frozenset())
    pairs = sign_txt({"id": ID, "kind": "comfyui"}, 8188, [BOX], KEY, NOW)
    text = b"".join(bytes([len(f"{k}={v}")]) + f"{k}={v}".encode() for k, v in pairs.items())
    full = "box._wyoming._tcp.local."
    records = (
        Record("_wyoming._tcp.local.", PTR, 4500, False, full),
        Record(full, SRV, 120, True, ("box.local.", 8188)),
        Record(full, TXT, 4500, True, text),
        Record("box.local.", A, 120, True, BOX),
    )
    for key, announced in table.heard(Packet(BOX, "eth0", records), 1.0).items():
        claims.resolve(key, 1.0, announced=announced)
    (said,) = told
    assert isinstance(said, Announcement)
    assert (said.kind, said.proof) == ("rvc", Proof.FALSE)
    await claims.presence.close()


def test_signatures_are_good_for_a_day_and_renewed_before() -> None:
    from announcers.signing import SIGN_EVERY_S

    assert 2 * SIGN_EVERY_S < trust.VALID_S
