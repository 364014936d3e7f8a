"""How instances are called, and what a neighbour hears of them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from zeroconf import DNSQuestion
from zeroconf._protocol.outgoing import DNSOutgoing

from announcers.engine import Engine, Instance, label
from announcers.network import announceable
from hybridisco import SERVICE_TYPE as TYPE
from hybridisco import AnnounceError
from hybridisco.doctor import dns
from tests.announcers.conftest import Ear, until
from tests.e2e import liar
from tests.e2e.conftest import Studio
from tests.e2e.liar import PTR, SRV, TXT, A

NAME = f"Pictures.{TYPE}"
SUBTYPE = f"_comfyui._sub.{TYPE}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ComfyUI on gpu-box", "ComfyUI on gpu-box"),
        ("Wan2GP v12.60", "Wan2GP v12 60"),
        ("x" * 80, "x" * 63),
        ("ä" * 40, "ä" * 31),
        ("日本語" * 20, "日本語" * 7),
        ("...", "backend"),
        ("", "backend"),
    ],
)
def test_a_name_becomes_one_label(name: str, expected: str) -> None:
    assert label(name) == expected
    assert 0 < len(label(name).encode()) <= 63


def instance(host: str = "gpu-box", **changes: Any) -> Instance:
    made = Instance(
        f"id-{host}", "Pictures", "comfyui", f"{host}-hybridisco-abcdef.local.", 8188, ("10.77.0.1",),
        (("txtvers", "1"), ("kind", "comfyui"), ("st", "ready")),
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
async def engine(inside: Studio) -> AsyncIterator[Engine]:
    made = Engine(announceable())
    yield made
    await made.close()


@pytest.mark.netns
async def test_from_the_announcement_to_the_goodbye(inside: Studio, ear: Ear) -> None:
    engine = Engine(announceable())
    assert await engine.announce(instance()) == "Pictures"
    await until(lambda: ear.heard(PTR, SUBTYPE) and ear.heard(SRV, NAME), 3.0, "it is announced")
    assert {record.address for record in ear.heard(A)} == {ip_address("10.77.0.1").packed}
    await engine.update(instance(properties=(("txtvers", "1"), ("st", "busy"))))
    await until(lambda: any(b"st=busy" in record.text for record in ear.heard(TXT, NAME)), 3.0, "it has changed")
    assert all(record.ttl for record in ear.records), "nothing was taken back so far"
    await engine.withdraw(instance())
    await engine.withdraw(instance())  # twice does no harm
    await until(lambda: {PTR, SRV, TXT} <= {record.type for record in ear.records if record.ttl <= 1}, 3.0, "goodbye")
    assert [record.alias for record in ear.heard(PTR, SUBTYPE) if record.ttl <= 1] == [NAME]
    await engine.close()


@pytest.mark.netns
async def test_closing_says_goodbye_for_everything(inside: Studio, ear: Ear) -> None:
    engine = Engine(announceable())
    for number in range(2):
        await engine.announce(instance(f"box{number}", name=f"Pictures {number}"))
    await engine.close()

    def gone(of: str) -> set[str]:
        return {record.alias for record in ear.records if record.type == PTR and record.name == of and record.ttl <= 1}

    both = {f"Pictures {number}.{TYPE}" for number in range(2)}
    await until(lambda: gone(TYPE) == gone(SUBTYPE) == both, 3.0, "both said goodbye, as a type and as a kind")


@pytest.mark.netns
async def test_who_asks_for_a_kind_is_answered(engine: Engine, ear: Ear) -> None:
    await engine.announce(instance())
    await until(lambda: ear.heard(PTR, SUBTYPE), 3.0, "it is announced")
    asked = DNSOutgoing(0)
    asked.add_question(DNSQuestion(SUBTYPE, PTR, 1))
    # What was just announced is not said again within a second (RFC 6762 section 6): the question is asked later.
    await until(lambda: len(ear.heard(SRV, NAME)) >= 2, 5.0, "the repetitions are over")
    before = len(ear.heard(PTR, SUBTYPE))
    ear.say(asked.packets()[0])
    await until(lambda: len(ear.heard(PTR, SUBTYPE)) > before, 3.0, "it is answered")


@pytest.mark.netns
async def test_after_a_change_of_the_network_everything_is_said_twice_again(engine: Engine, ear: Ear) -> None:
    await engine.announce(instance())
    await engine.move(announceable())
    await until(lambda: len(ear.heard(SRV, NAME)) >= 2, 5.0, "the first announcements are over")
    ear.records.clear()
    await engine.repeat()
    await until(lambda: len(ear.heard(SRV, NAME)) >= 2 and len(ear.heard(PTR, SUBTYPE)) >= 2, 2.0, "said twice")


@pytest.mark.netns
async def test_a_port_that_another_program_holds_is_explained(inside: Studio) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder,
        pytest.raises(AnnounceError, match="UDP port 5353"),
    ):
        holder.bind(("", 5353))
        Engine(announceable())


@pytest.mark.netns
@pytest.mark.parametrize(("rival", "ours", "after"), [(9000, 8188, "Pictures-2"), (80, 8188, "Pictures")])
async def test_the_greater_record_keeps_the_name(inside: Studio, ear: Ear, rival: int, ours: int, after: str) -> None:
    """Somebody who never probed announces our name (RFC 6762 section 9)."""
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    engine = Engine(announceable(), lambda key, name: told.put_nowait((key, name)))
    mine = instance(port=ours)
    assert await engine.announce(mine) == "Pictures"
    target = struct.pack("!HHH", 0, 0, rival) + liar.name((b"other", b"local"))
    claim = liar.response(liar.record((b"Pictures", *liar.TYPE), liar.SRV, liar.IN | liar.FLUSH, target))
    ear.records.clear()
    ear.say(claim)
    ear.say(claim)
    if after == "Pictures":
        await until(lambda: len(ear.heard(SRV, NAME)) >= 2, 5.0, "it is defended")
        assert told.empty()
    else:
        async with asyncio.timeout(5.0):
            assert await told.get() == (mine.key, after)
        await until(lambda: ear.heard(SRV, f"{after}.{TYPE}"), 3.0, "it is there under another name")
        assert not [record for record in ear.heard(SRV, NAME) if record.ttl <= 1], "no goodbye: the name is theirs"
        await engine.update(replace(mine, properties=(("st", "busy"),)))
        await until(lambda: ear.heard(TXT, f"{after}.{TYPE}"), 3.0, "it can be changed")
    await engine.close()


@pytest.mark.netns
async def test_our_own_announcement_is_no_rival(inside: Studio, ear: Ear) -> None:
    told: list[str] = []
    engine = Engine(announceable(), lambda host, name: told.append(name))
    mine = instance()
    await engine.announce(mine)
    target = struct.pack("!HHH", 0, 0, mine.port) + liar.name((mine.host.partition(".")[0].encode(), b"local"))
    ear.records.clear()
    ear.say(liar.response(liar.record((b"Pictures", *liar.TYPE), liar.SRV, liar.IN | liar.FLUSH, target)))
    ear.say(dns.echo_question(dns.new_nonce()))
    await until(lambda: ear.heard(TXT, f"_echo.{TYPE}"), 3.0, "what was said before the question has been heard")
    assert not told
    await engine.close()
