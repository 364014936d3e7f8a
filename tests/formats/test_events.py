"""One event in words."""

from __future__ import annotations

from hybridisco.core.model import Event, EventType
from hybridisco.formats.events import event_line
from tests.formats.samples import service


def test_events_in_words() -> None:
    line = event_line(Event(EventType.ADDED, service()))
    assert line == "added    online       ComfyUI on gpu-box  (comfyui 0.3.64)  http://10.77.0.2:8188"
