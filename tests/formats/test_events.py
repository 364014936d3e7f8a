"""One event in words."""

from __future__ import annotations

from hybridisco.core.model import Event, EventType, Status
from hybridisco.formats.events import event_line
from tests.formats.samples import service


def test_events_in_words() -> None:
    line = event_line(Event(EventType.ADDED, service()))
    assert line == "added    online       ComfyUI on gpu-box  (comfyui 0.3.64)  http://10.77.0.2:8188"


def test_of_an_untrusted_one_it_says_why_on_the_same_line() -> None:
    line = event_line(Event(EventType.UPDATED, service(status=Status.UNTRUSTED, problem="Another key.")))
    assert line.endswith("  http://10.77.0.2:8188  Another key.")
    assert "loads" not in event_line(Event(EventType.ADDED, service(status=Status.STARTING, problem="It loads.")))
