"""What fuzzing has found stays true: every input of the corpus, without the fuzzer."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from tests.fuzz import TARGETS, corpus, parts


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"tests.fuzz.{request.param}")


def name_of(target: ModuleType) -> str:
    return target.__name__.rpartition(".")[2]


def test_every_input_holds(target: ModuleType) -> None:
    played = 0
    for path in corpus.files(name_of(target)):
        try:
            target.check(path.read_bytes())
        except BaseException as error:
            error.add_note(f"the input: {path}")
            raise
        played += 1
    assert played > 10


def test_every_seed_holds(target: ModuleType) -> None:
    for name, octets in target.seeds():
        try:
            target.check(octets)
        except BaseException as error:
            error.add_note(f"the seed: {name}")
            raise


def test_the_corpus_is_small(target: ModuleType) -> None:
    kept = [path for path in corpus.files(name_of(target)) if not path.name.startswith(corpus.REGRESSION)]
    assert len(kept) <= corpus.FILE_LIMIT
    assert sum(path.stat().st_size for path in kept) <= corpus.SIZE_LIMIT


def test_pieces_are_read_as_they_were_joined() -> None:
    assert parts.split(parts.join(b"a", b"", b"c"), 3) == [b"a", b"", b"c"]
    assert parts.split(parts.join(b"a", b"b", b"c"), 2) == [b"a", parts.join(b"b", b"c")]
