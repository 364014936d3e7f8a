"""Signatures: the vectors of RFC 8032, both libraries, each alone, and none."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.core.errors import AnnounceError
from hybridisco.trust import ed25519

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493

# RFC 8032 section 7.1: seed, public key, message, signature. The message of TEST 1024 is left out for its length.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
        "2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17a"
        "d9bef1177331a704",
    ),
]


@pytest.fixture(params=["cryptography", "ecdsa"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Verify by one library only."""
    monkeypatch.setattr(ed25519, {"cryptography": "_pure", "ecdsa": "_pyca"}[request.param], lambda: None)
    return str(request.param)


def by_both(key: bytes, signature: bytes, message: bytes) -> bool:
    """Verify by both libraries, which have to agree."""
    pyca, pure = ed25519._pyca(), ed25519._pure()
    assert pyca is not None
    assert pure is not None
    said = ed25519.verify(key, signature, message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ed25519, "_pyca", lambda: None)
        assert ed25519.verify(key, signature, message) is said
    assert said is not None
    return said


@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_the_rfc(library: str, vector: tuple[str, ...]) -> None:
    seed, key, message, signature = map(bytes.fromhex, vector)
    if library == "cryptography":
        assert ed25519.public(seed) == key
        assert ed25519.sign(seed, message) == signature
    assert ed25519.verify(key, signature, message) is True
    assert ed25519.verify(key, signature, message + b"!") is False


def test_a_new_key_is_random_and_signs() -> None:
    assert ed25519.available()
    assert ed25519.can_verify()
    one, other = ed25519.generate(), ed25519.generate()
    assert one != other
    assert len(one) == 32
    signature = ed25519.sign(one, b"x")
    assert by_both(ed25519.public(one), signature, b"x")
    assert not by_both(ed25519.public(other), signature, b"x")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_that_was_cut_off(size: int) -> None:
    for make in (ed25519.public, lambda seed: ed25519.sign(seed, b"")):
        with pytest.raises(AnnounceError, match="cut off"):
            make(bytes(size))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.data())
def test_both_libraries_agree_on_what_was_changed(seed: bytes, message: bytes, data: st.DataObject) -> None:
    key, signature = ed25519.public(seed), bytearray(ed25519.sign(seed, message))
    assert by_both(key, bytes(signature), message)
    signature[data.draw(st.integers(0, 63))] ^= data.draw(st.integers(1, 255))
    assert not by_both(key, bytes(signature), message)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64), st.binary(max_size=9))
def test_both_libraries_agree_on_anything(key: bytes, signature: bytes, message: bytes) -> None:
    assert not by_both(key, signature, message)


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_no_length_is_an_error(key: bytes, signature: bytes) -> None:
    assert ed25519.verify(key, signature, b"") is False


def points_of_small_order() -> list[bytes]:
    """Return the encodings of the eight points whose order divides 8, found by doubling instead of from a list."""
    d = -121665 * pow(121666, -1, FIELD) % FIELD

    def double(x: int, y: int) -> tuple[int, int]:
        t = d * x * x * y * y % FIELD
        return 2 * x * y * pow(1 + t, -1, FIELD) % FIELD, (y * y + x * x) * pow(1 - t, -1, FIELD) % FIELD

    def xs(y: int) -> list[int]:
        square = (y * y - 1) * pow(d * y * y + 1, -1, FIELD) % FIELD
        root = pow(square, (FIELD + 3) // 8, FIELD)
        roots = {root, root * pow(2, (FIELD - 1) // 4, FIELD) % FIELD}
        return sorted({x for r in roots for x in (r, -r % FIELD) if x * x % FIELD == square})

    found: set[tuple[int, int]] = set()
    for y in ed25519._SMALL_ORDER:
        for x in xs(y):
            point = (x, y)
            for _ in range(3):
                point = double(*point)
            if point == (0, 1):
                found.add((x, y))
    return [(y | (x & 1) << 255).to_bytes(32, "little") for x, y in found]


def test_keys_of_small_order_are_refused() -> None:
    points = points_of_small_order()
    assert len(points) == 8
    assert bytes(32) in points
    for key in points:
        # With such a key, R = identity and S = 0 fit one message of eight at least.
        for first in (*points, (1).to_bytes(32, "little")):
            for message in (b"", b"a", b"b", b"c"):
                assert not by_both(key, first + bytes(32), message)


@pytest.mark.parametrize("y", [FIELD, FIELD + 1, FIELD + 2, 2**255 - 1, 2**255 + FIELD + 5, 2**255 + 1, 2**256 - 1])
def test_a_key_has_one_encoding(y: int) -> None:
    signature = ed25519.sign(bytes(32), b"")
    assert not by_both(y.to_bytes(32, "little"), signature, b"")
    assert not by_both(ed25519.public(bytes(32)), y.to_bytes(32, "little") + signature[32:], b"")


def test_a_signature_has_one_encoding() -> None:
    key, signature = ed25519.public(bytes(32)), ed25519.sign(bytes(32), b"x")
    s = int.from_bytes(signature[32:], "little")
    for other in (s + ORDER, s + 2 * ORDER, 2**256 - 1):
        assert not by_both(key, signature[:32] + other.to_bytes(32, "little"), b"x")


TRY = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None  # importing it raises ImportError
from hybridisco.core.errors import AnnounceError
from hybridisco.trust import ed25519
assert not {"cryptography", "ecdsa"} & {name for name, it in sys.modules.items() if it is not None}, "too early"
seed, key, _, signature = (bytes.fromhex(text) for text in %r)
verified = [ed25519.verify(key, signature, message) for message in (b"", b"x")]
print(ed25519.available(), ed25519.can_verify(), *verified)
for make in (ed25519.generate, lambda: ed25519.public(seed), lambda: ed25519.sign(seed, b"")):
    try:
        print(len(make()))
    except AnnounceError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ((), "True True True False"),
        (("ecdsa",), "True True True False"),
        (("cryptography",), "False True True False"),
        (("cryptography", "ecdsa"), "False False None None"),
    ],
)
def test_where_libraries_are_missing(missing: tuple[str, ...], said: str) -> None:
    script = textwrap.dedent(TRY) % (VECTORS[0],)
    done = subprocess.run(
        [sys.executable, "-c", script, *missing], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first == said
    if "cryptography" in missing:
        assert len(rest) == 3
        assert all("`pip install cryptography`" in line for line in rest)
    else:
        assert rest == ["32", "32", "64"]


def test_a_library_that_is_broken_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519 as theirs

    def refuse(seed: bytes) -> None:
        raise UnsupportedAlgorithm("FIPS")

    monkeypatch.setattr(theirs.Ed25519PrivateKey, "from_private_bytes", refuse)
    ed25519._pyca.cache_clear()
    try:
        assert not ed25519.available()
        assert ed25519.can_verify()
    finally:
        ed25519._pyca.cache_clear()
