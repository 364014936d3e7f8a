"""Whether a datagram is an mDNS packet at all: what honest programs send is; what is cut, endless or loops is not."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zeroconf._dns import DNSAddress, DNSPointer, DNSQuestion, DNSService, DNSText
from zeroconf._protocol.outgoing import DNSOutgoing

from hybridisco.core.packet import AAAA, PTR, RECORD_LIMIT, SIZE_LIMIT, SRV, TXT, A, is_answer, well_formed
from tests.e2e import liar

TYPE = "_hybridisco._tcp.local."
_IN, _ANSWER, _QUESTION = 1, 0x8400, 0
_POINTER_TO_THE_FIRST_NAME = b"\xc0\x0c"

LABEL = st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]), min_size=1, max_size=15)


def header(questions: int = 0, answers: int = 0, authorities: int = 0, additional: int = 0) -> bytes:
    """The first twelve octets."""
    return struct.pack("!6H", 0, _ANSWER, questions, answers, authorities, additional)


def question(name: bytes) -> bytes:
    """A question for anything."""
    return name + struct.pack("!HH", 255, _IN)


def record(name: bytes, data: bytes = b"", *, length: int | None = None, kind: int = TXT) -> bytes:
    """A record; ``length`` claims another length than that of its data."""
    return name + struct.pack("!HHIH", kind, _IN, 120, len(data) if length is None else length) + data


def compressed(instances: list[str], flags: int = _ANSWER) -> list[bytes]:
    """What zeroconf makes of some instances: their records with compressed names, in as many packets as it takes."""
    out = DNSOutgoing(flags)
    for label in instances:
        name, host = f"{label}.{TYPE}", f"{label}.local."
        out.add_question(DNSQuestion(name, SRV, _IN))
        out.add_answer_at_time(DNSPointer(TYPE, PTR, _IN, 4500, name), 0)
        out.add_answer_at_time(DNSService(name, SRV, _IN, 120, 0, 0, 8188, host), 0)
        out.add_additional_answer(DNSText(name, TXT, _IN, 4500, b"\x09txtvers=1"))
        out.add_additional_answer(DNSAddress(host, A, _IN, 120, b"\x0a\x4d\0\1"))
        out.add_additional_answer(DNSAddress(host, AAAA, _IN, 120, bytes(16)))
    return out.packets()


@given(st.lists(LABEL, max_size=40))
@settings(deadline=None)
def test_whatever_zeroconf_says_is_well_formed(labels: list[str]) -> None:
    for data in (*compressed(labels), *compressed(labels, _QUESTION)):
        assert len(data) <= SIZE_LIMIT
        assert well_formed(data)


@pytest.mark.parametrize("label", liar.LIES)
def test_lies_are_well_formed(label: bytes) -> None:
    """What is wrong with them is what they say."""
    data = liar.packet(label, *liar.LIES[label])
    assert is_answer(data)
    assert well_formed(data)


def test_a_name_that_is_no_text_is_well_formed() -> None:
    assert well_formed(liar._poison())


@given(st.lists(LABEL, min_size=1, max_size=4), st.data())
@settings(deadline=None)
def test_what_is_cut_anywhere_is_not(labels: list[str], data: st.DataObject) -> None:
    whole = compressed(labels)[0]
    assert not well_formed(whole[: data.draw(st.integers(12, len(whole) - 1))])


@given(st.binary(max_size=600))
def test_anything_can_be_looked_at(data: bytes) -> None:
    is_answer(data)
    if len(data) >= 12:
        well_formed(data)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5))
@settings(deadline=None)
def test_a_damaged_packet_can_be_looked_at(damage: list[tuple[int, int]]) -> None:
    data = bytearray(compressed(["one", "two"])[0])
    for at, octet in damage:
        data[at % len(data)] = octet
    well_formed(bytes(data))


@pytest.mark.parametrize("to", [12, 13, 14, 24, 255, 0x3FFF])
def test_a_name_that_points_at_itself_or_forward_is_refused(to: int) -> None:
    pointer = struct.pack("!H", 0xC000 | to)
    assert not well_formed(header(answers=1) + record(pointer))
    assert not well_formed(header(answers=1) + record(b"\x01a" + pointer))


def test_two_names_that_point_at_each_other_are_refused() -> None:
    first = record(b"\x01a\xc0\x1b")  # 12: to 27
    assert not well_formed(header(answers=2) + first + record(b"\x01b\xc0\x0c"))


def test_a_name_that_points_at_a_pointer_which_leads_on_is_refused() -> None:
    """What it points at stands before it, but is no name: it is the data of a record, and leads forward again."""
    loop = record(b"\0", b"\xc0\x19")  # the data begins at 23, and leads to 25
    assert len(header() + loop) == 25
    assert not well_formed(header(answers=2) + loop + record(b"\xc0\x17"))


def test_a_name_that_points_back_is_fine() -> None:
    assert well_formed(header(answers=2) + record(b"\x01a\0") + record(b"\x01b" + _POINTER_TO_THE_FIRST_NAME))


@pytest.mark.parametrize(
    ("name", "good"),
    [
        (b"\0", True),
        (b"\x3f" + b"a" * 63 + b"\0", True),
        (b"\x40" + b"a" * 64 + b"\0", False),  # kinds of labels that nobody uses any more (RFC 6891 section 5)
        (b"\x80" + b"a" * 128 + b"\0", False),
        (b"\x01a" * 127 + b"\0", True),  # 255 octets
        (b"\x01a" * 126 + b"\x02ab\0", False),
        (b"\x3f" + b"a" * 63, False),  # it does not end
    ],
)
def test_the_length_of_names(name: bytes, good: bool) -> None:
    assert well_formed(header(answers=1) + record(name)) is good
    assert well_formed(header(questions=1) + question(name)) is good


def test_a_name_that_is_too_long_only_together_with_what_it_points_at_is_refused() -> None:
    long = b"\x01a" * 120
    first = record(long + b"\0")
    assert well_formed(header(answers=2) + first + record(b"\x01b" * 7 + _POINTER_TO_THE_FIRST_NAME))
    assert not well_formed(header(answers=2) + first + record(b"\x01b" * 8 + _POINTER_TO_THE_FIRST_NAME))


def test_records_of_all_parts_count() -> None:
    one = record(b"\0")
    assert well_formed(header(1, 1, 1, 1) + question(b"\0") + one * 3)
    assert not well_formed(header(1, 1, 1, 2) + question(b"\0") + one * 3)
    assert well_formed(header(answers=RECORD_LIMIT) + one * RECORD_LIMIT)
    assert not well_formed(header(answers=RECORD_LIMIT, additional=1) + one * (RECORD_LIMIT + 1))


def test_a_record_that_claims_more_data_than_there_is_is_refused() -> None:
    assert not well_formed(header(answers=1) + record(b"\0", b"abc", length=4))
    assert not well_formed(header(answers=1) + record(b"\0", b"abc", length=0xFFFF))


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        (0x8400, True),
        (0x8000, True),  # not authoritative: some say so, and are heard (RFC 6762 section 18.4)
        (0x8600, True),  # truncated
        (0x0000, False),
        (0x0400, False),
        (0xA800, False),  # another operation (section 18.3)
        (0x8403, False),  # an error (section 18.11)
    ],
)
def test_what_an_answer_is(flags: int, answer: bool) -> None:
    assert is_answer(struct.pack("!6H", 0, flags, 0, 0, 0, 0)) is answer


@pytest.mark.parametrize("size", range(12))
def test_less_than_a_header_is_no_answer(size: int) -> None:
    assert not is_answer(b"\x84" * size)
