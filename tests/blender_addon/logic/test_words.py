"""Everything that the panel says can be translated, and a bad translation breaks nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blender_addon.logic import words
from blender_addon.logic.words import say


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    words.use(None)


def test_it_is_translated_before_values_are_put_in() -> None:
    words.use({"Found {count}": "{count} gefunden"}.__getitem__)
    assert say("Found {count}", count=3) == "3 gefunden"


def test_a_translation_with_a_slip_falls_back_to_english() -> None:
    words.use(lambda text: "{number gefunden")
    assert say("Found {count}", count=3) == "Found 3"
    words.use(lambda text: "{wrong} gefunden")
    assert say("Found {count}", count=3) == "Found 3"


def test_values_are_not_taken_for_text() -> None:
    assert say("Copied {url}", url="http://{evil}") == "Copied http://{evil}"
