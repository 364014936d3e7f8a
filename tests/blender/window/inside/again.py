"""Blender is started again: the rows of last time are there at once, marked, and are checked with no click."""

from __future__ import annotations

import screen
import stage


def again() -> screen.Steps:
    yield lambda: stage.rows() and all(row["last_known"] for row in stage.rows())
    stage.tell("restored", rows=stage.rows(), chosen=stage.chosen())
    # One that is announced is "stale" until it was looked at for the first time.
    yield lambda: not any(row["last_known"] or row["status"] == "stale" for row in stage.rows())
    stage.tell("checked", rows=stage.rows())


screen.act(again(), first_s=0.0)
