"""Logs for machines: what a collector of logs gets."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from announcers.logs import JsonLines


def line(message: str, *arguments: object, level: int = logging.INFO, **more: Any) -> dict[str, Any]:
    """Return what one record becomes, read again."""
    record = logging.LogRecord("announcers.backend", level, __file__, 1, message, arguments, more.pop("exc_info", None))
    vars(record).update(more)
    text = JsonLines("%(message)s").format(record)
    assert "\n" not in text and text.isascii()
    return dict(json.loads(text))


def test_a_record_is_one_object() -> None:
    said = line("Announced: %s", "ComfyUI", level=logging.WARNING)
    assert said.keys() == {"time", "level", "logger", "message"}
    assert said["level"] == "warning"
    assert said["logger"] == "announcers.backend"
    assert said["message"] == "Announced: ComfyUI"
    assert datetime.fromisoformat(said["time"]).utcoffset() is not None


def test_the_time_is_that_of_the_record() -> None:
    assert line("x", created=1_700_000_000.25)["time"] == "2023-11-14T22:13:20.250+00:00"


def test_a_message_of_several_lines_and_of_any_letters_stays_one_line() -> None:
    message = 'first\nsecond\r\t"quoted" \x1b[31m絵 \u2028'
    assert line("%s", message)["message"] == message


def test_what_a_message_is_about_can_be_filtered_for() -> None:
    said = line("x", backend="comfyui", port=8188, secret="not ours to tell")
    assert (said["backend"], said["port"]) == ("comfyui", 8188)
    assert "secret" not in said


def test_a_value_that_is_no_json_is_written_as_text() -> None:
    assert line("x", backend=Path("/a"))["backend"] == "/a"


def test_an_exception_is_inside_of_it() -> None:
    try:
        raise OSError("no route")
    except OSError:
        said = line("A look went wrong.", exc_info=sys.exc_info())
    assert said["message"] == "A look went wrong."
    assert said["error"].startswith("Traceback ")
    assert said["error"].endswith("OSError: no route")
