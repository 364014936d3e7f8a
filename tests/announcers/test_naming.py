"""What a backend is called when nobody says it, and when two would be called alike."""

from __future__ import annotations

import pytest

from announcers import backend
from announcers.assignment import Assignment
from announcers.naming import free_name
from hybridisco.kinds import BUILTIN

COMFYUI = next(kind for kind in BUILTIN if kind.id == "comfyui")


@pytest.mark.parametrize(
    ("host", "wished", "taken", "expected"),
    [
        ("gpu-box", None, (), "ComfyUI on gpu-box"),
        ("gpu-box.studio.example", None, (), "ComfyUI on gpu-box"),
        ("", None, (), "ComfyUI on localhost"),
        ("gpu-box", "Pictures", (), "Pictures"),
        ("gpu-box", None, ("RVC on gpu-box", "ComfyUI"), "ComfyUI on gpu-box"),
        ("gpu-box", None, ("ComfyUI on gpu-box",), "ComfyUI on gpu-box (8189)"),
        ("gpu-box", "Pictures", ("Pictures",), "Pictures (8189)"),
    ],
)
def test_names(
    monkeypatch: pytest.MonkeyPatch, host: str, wished: str | None, taken: tuple[str, ...], expected: str
) -> None:
    monkeypatch.setattr(backend.socket, "gethostname", lambda: host)
    assert free_name(Assignment(COMFYUI, 8189, wished), taken) == expected
