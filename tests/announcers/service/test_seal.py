"""A sealed file tells whether it is still as it was written."""

from __future__ import annotations

import pytest

from announcers.service.seal import Origin, mark, origin, seal

TEXT = seal(f"# {mark('0.1.0')}\n[Unit]\nDescription=x\n")


def test_what_was_sealed_is_ours() -> None:
    assert origin(TEXT) is Origin.OURS
    assert "seal 0000000000000000" not in TEXT


@pytest.mark.parametrize(
    ("text", "made_by"),
    [
        (None, Origin.NOBODY),
        ("", Origin.FOREIGN),
        ("[Unit]\n", Origin.FOREIGN),
        (TEXT.replace("x", "y"), Origin.EDITED),
        (TEXT + "\n", Origin.EDITED),
        (TEXT.replace("\n", "\r\n"), Origin.OURS),  # a file that Windows wrote
        (TEXT.replace("0.1.0", "0.2.0"), Origin.EDITED),
    ],
)
def test_every_other_text_is_told_apart(text: str | None, made_by: Origin) -> None:
    assert origin(text) is made_by


def test_a_second_mark_within_the_text_is_part_of_it() -> None:
    text = seal(f"# {mark('1')}\n# {mark('1')}\n")
    assert origin(text) is Origin.OURS
    assert origin(text.replace("seal 0000000000000000", "seal 0000000000000001")) is Origin.EDITED
