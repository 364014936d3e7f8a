"""The octets of a TXT record, up to what it says and what its signature is worth."""

from __future__ import annotations

from collections.abc import Iterator

from hybridisco.core import safe, trust, txt
from hybridisco.core.model import Proof
from hybridisco.sources.table import pairs
from tests.fuzz import bounds
from tests.fuzz.words import words

WORDS = words("txtvers= id= kind= ver= path=/ tls=1 auth=key st=busy cap=image, gpu= vram= live= key= sig= at= ads=")
_NOW = 1_800_000_000.0
_ASKED = ("192.168.77.7", "fe80::7", "2001:db8::7")
_KEY, _SIGNATURE = trust.encoded(bytes(range(32))), trust.encoded(bytes(range(64)))


def check(data: bytes) -> None:
    """Decode, encode and decode again."""
    said = pairs(data)
    assert all(0 < len(key) + len(value or b"") <= 255 for key, value in said.items())
    record, dropped = txt.decode(said)
    assert 0 <= dropped <= len(said)
    bounds.service_id(record.id)
    bounds.word(record.kind)
    bounds.clean(record.version, safe.VERSION_LIMIT)
    bounds.path(record.path)
    bounds.clean(record.gpu)
    assert len(record.capabilities) <= 12
    for capability in record.capabilities:
        bounds.word(capability)
    assert record.vram is None or 0 < record.vram <= 2**24
    assert record.live is None or 0 < record.live < 65536
    _encodes(record, signed=False)
    _encodes(record, signed=True)
    _signed(said)


def _encodes(record: txt.TxtRecord, *, signed: bool) -> None:
    """What could be read can be said, and is then read as the same, but for what there was no room for."""
    encoded = txt.encode(record, signed=signed)
    assert next(iter(encoded)) == "txtvers"
    assert txt.size(encoded) <= txt.SIZE_LIMIT
    strings = {key.encode(): value.encode() for key, value in encoded.items()}
    assert all(len(key) + 1 + len(value) <= 255 for key, value in strings.items())
    again, lost = txt.decode(strings)
    assert lost == 0, encoded
    for name in ("id", "kind", "path", "tls", "auth", "state", "vram", "live"):
        assert getattr(again, name) == getattr(record, name), name
    for name, key in (("version", "ver"), ("capabilities", "cap"), ("gpu", "gpu")):
        assert getattr(again, name) == getattr(record, name) or key not in encoded, name


def _signed(said: trust.Pairs) -> None:
    for verdict, good in ((True, Proof.SIGNED), (None, Proof.UNCHECKED), (False, None)):
        found = trust.signature_of(said, 8188, _ASKED, _NOW, lambda *_, answer=verdict: answer)
        assert found.proof in (Proof.UNSIGNED, Proof.FALSE, Proof.OUTDATED, good), found
        assert found.addresses <= set(_ASKED)
        assert found.proof is not good or found.addresses
        assert 0 <= found.at < 10**15
        assert found.key is None or len(found.key) == 43


def seeds() -> Iterator[tuple[str, bytes]]:
    """Honest records, a signed one, and one that lies in every key."""
    honest = txt.encode(
        txt.TxtRecord(
            id="k3v7q2m4n6p8r9s1t5w0x2y4z6",
            kind="comfyui",
            version="0.3.64",
            path="/comfyui",
            tls=True,
            auth="key",
            state="ready",
            capabilities=("image", "video"),
            gpu="NVIDIA GeForce RTX 4090",
            vram=24564,
            live=40123,
        )
    )
    yield "honest", _octets(f"{key}={value}".encode() for key, value in honest.items())
    signed = {**honest, "key": _KEY, "at": str(int(_NOW)), "ads": trust.told_addresses(_ASKED), "sig": _SIGNATURE}
    yield "signed", _octets(f"{key}={value}".encode() for key, value in signed.items())
    old = {**signed, "at": "1700000000", "ads": "AMCoTQc"}
    yield "outdated", _octets(f"{key}={value}".encode() for key, value in old.items())
    from tests.e2e.liar import LIES

    for host, _, strings in LIES.values():
        if host in (b"dirty", b"half"):
            yield host.decode(), _octets(strings)
    most = {"id": "i" * 64, "path": f"/{'p' * 99}", "ver": "\u8a9e" * 40, "gpu": "\U0001f3a8" * 60, "cap": "c" * 32}
    yield "full", _octets([f"{key}={value}".encode() for key, value in most.items()])
    yield (
        "marks",
        _octets(["gpu=a\u0e34\u0301\u0302\u0303\u0304 \u0cc6\u0cc2 \ufe0f\u200d\u2066x".encode(), b"tls", b"st="]),
    )


def _octets(strings: Iterator[bytes] | tuple[bytes, ...] | list[bytes]) -> bytes:
    return b"".join(bytes([len(each)]) + each for each in strings)
