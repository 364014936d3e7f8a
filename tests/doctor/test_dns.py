"""The doctor's DNS messages: there and back, and what no message is."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.doctor import dns
from tests.doctor.echo import answer

NONCE = "0123456789abcdef"
NAME = f"{NONCE}._echo._hybridisco._tcp.local."


def test_a_question_is_read_back() -> None:
    message = dns.read(dns.echo_question(NONCE))
    assert message == dns.Message(False, (NAME,))
    assert dns.nonce_of(NAME) == NONCE


def test_zeroconf_reads_the_question_as_we_mean_it() -> None:
    from zeroconf import DNSIncoming

    for packet, names in (
        (dns.echo_question(NONCE), [NAME]),
        (dns.any_responder_question("10.77.0.1"), ["_services._dns-sd._udp.local.", "1.0.77.10.in-addr.arpa."]),
    ):
        incoming = DNSIncoming(packet)
        assert incoming.valid
        assert incoming.is_query()
        assert [question.name for question in incoming.questions] == names


def test_an_answer_is_read() -> None:
    message = dns.read(answer(NAME, "multicast", "10.77.0.2", "gpu-box"))
    assert message is not None
    assert message.response
    ((name, strings),) = message.texts
    assert dns.nonce_of(name) == NONCE
    assert dns.pairs(strings) == {"via": "multicast", "heard": "10.77.0.2", "host": "gpu-box", "ver": "0.0.0"}


def test_a_name_may_be_shortened_by_a_pointer() -> None:
    question = dns.echo_question(NONCE)
    data = b"\x0bvia=unicast"
    record = struct.pack("!HHHIH", 0xC00C, dns.TXT, 0x8001, 1, len(data)) + data
    message = dns.read(struct.pack("!6H", 0, 0x8400, 1, 1, 0, 0) + question[12:] + record)
    assert message is not None
    assert message.texts == ((NAME, ("via=unicast",)),)


def test_what_is_shown_is_harmless() -> None:
    message = dns.read(answer(NAME, "multicast", "10.77.0.2", "a\x1b[31m\u202eb"))
    assert message is not None
    assert dns.pairs(message.texts[0][1])["host"] == "a[31mb"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0" * 11,
        struct.pack("!6H", 0, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\0\0\0",  # a pointer to itself
        struct.pack("!6H", 0, 0, 1, 0, 0, 0) + b"\xc0\xff\0\0\0\0",  # … and forwards
        struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0) + b"\0" + struct.pack("!HHIH", 16, 1, 1, 99),
        struct.pack("!6H", 0, 0, 1, 0, 0, 0) + b"\x3fabc",
        struct.pack("!6H", 0, 0, 1, 0, 0, 0) + (b"\x3f" + b"a" * 63) * 5 + b"\0\0\0\0\0",
    ],
)
def test_what_is_no_message(packet: bytes) -> None:
    assert dns.read(packet) is None


@given(st.binary(max_size=300))
def test_it_never_raises(packet: bytes) -> None:
    dns.read(packet)
    dns.read(struct.pack("!6H", 0, 0x8400, 1, 2, 0, 0) + packet)


@pytest.mark.parametrize("name", ["_hybridisco._tcp.local.", f"x{NAME}", NAME.replace("_echo", "_other"), NAME[1:]])
def test_other_names_have_no_nonce(name: str) -> None:
    assert dns.nonce_of(name) is None


def test_nonces_differ() -> None:
    assert len({dns.new_nonce() for _ in range(100)}) == 100
