"""How late a 60 Hz timer of the main thread comes: with the extension off, and while discovery is at work."""

from __future__ import annotations

import time

import bpy
import screen
import stage

RATE_HZ = 60.0


def latency() -> screen.Steps:
    archive, seconds, services = screen.arguments()
    stage.install(archive)
    idle = Ticks()
    yield float(seconds)
    stage.tell("idle", **idle.stop())

    stage.enable()
    stage.allow_online()
    mine = stage.preferences()
    mine.ports = "8000-8199"
    mine.rescan_s = 2.0
    yield from screen.open_sidebar()
    busy = Ticks()
    bpy.ops.movie_director.discover_services()
    yield float(seconds)
    stage.tell("discovering", rows=len(stage.rows()), rescan_s=mine.rescan_s, **busy.stop())

    online = [row for row in stage.rows() if row["status"] == "online"]
    stage.tell("found", online=len(online), wanted=int(services))
    stage.disable()


class Ticks:
    """Notes when each tick of a timer comes."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._running = True
        bpy.app.timers.register(self._tick, persistent=True)

    def _tick(self) -> float | None:
        self._times.append(time.perf_counter())
        return 1.0 / RATE_HZ if self._running else None

    def stop(self) -> dict[str, float]:
        """The time between two ticks, in milliseconds."""
        self._running = False
        gaps = sorted(1000.0 * (b - a) for a, b in zip(self._times, self._times[1:], strict=False))
        return {
            "ticks": len(gaps),
            "p50_ms": round(gaps[len(gaps) // 2], 1),
            "p99_ms": round(gaps[int(len(gaps) * 0.99)], 1),
            "max_ms": round(gaps[-1], 1),
        }


screen.act(latency())
