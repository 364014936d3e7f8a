"""What the scripts in a window share: a play in steps, the sidebar, the mouse, and pictures.

A script is a generator, run by one timer. It yields how many seconds to let pass for Blender to draw, or a condition
to wait for. ``act(generator())`` comes last.
"""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path

import bpy
import stage

Steps = Generator["float | Callable[[], object]", None, None]

TAB = "Hybridisco"
DRAWN_S = 0.3  # Blender draws between two timers; a few times is enough for a layout to settle
STEP_LIMIT_S = 40.0
_TURN_S = 0.05
_PICTURE_LIMIT_S = 20.0


def arguments() -> list[str]:
    """What follows ``--`` on the command line."""
    return sys.argv[sys.argv.index("--") + 1 :]


def act(steps: Steps, *, first_s: float = 1.0) -> None:
    """Play the steps in a timer; the process ends with them, or with the first thing that goes wrong.

    :param first_s: when they begin; Blender draws its window before.
    """
    faulthandler.dump_traceback_later(float(os.environ.get("SCRIPT_LIMIT_S", "110")), exit=True)
    bpy.context.preferences.view.show_splash = False
    condition: Callable[[], object] | None = None
    end = 0.0

    def turn() -> float:
        nonlocal condition, end
        try:
            if condition is not None:
                if not condition():
                    if time.monotonic() > end:
                        raise AssertionError(f"did not happen within {STEP_LIMIT_S} s")
                    return _TURN_S
                condition = None
            wanted = next(steps)
            if not callable(wanted):
                return wanted
            condition, end = wanted, time.monotonic() + STEP_LIMIT_S
            return _TURN_S
        except StopIteration:
            _end(0)
        except BaseException:  # noqa: BLE001 - whatever it is, Blender would wait for ever
            traceback.print_exc()
            if steps.gi_frame is not None:
                print(f"at line {steps.gi_frame.f_lineno} of {steps.gi_code.co_filename}")
            _end(1)
        return _TURN_S

    bpy.app.timers.register(turn, first_interval=first_s, persistent=True)


def _end(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


# -- the sidebar --------------------------------------------------------------------------------------


def viewport() -> bpy.types.Area:
    """The largest area of the window: the 3D viewport."""
    return max(bpy.context.window_manager.windows[0].screen.areas, key=lambda area: area.width * area.height)


def sidebar() -> bpy.types.Region:
    """Its sidebar."""
    return next(region for region in viewport().regions if region.type == "UI")


def open_sidebar() -> Steps:
    """Open the sidebar at our tab, as a user does with N and a click."""
    area = viewport()
    area.spaces.active.show_region_ui = True

    def switched() -> bool:
        area.tag_redraw()
        try:
            sidebar().active_panel_category = TAB
        except (TypeError, AttributeError):  # read-only until it was drawn
            return False
        return sidebar().active_panel_category == TAB

    yield switched
    yield DRAWN_S


def redraw() -> None:
    """Let everything be drawn anew."""
    for area in bpy.context.window_manager.windows[0].screen.areas:
        area.tag_redraw()


# -- mouse, keys and pictures -------------------------------------------------------------------------


def xdotool(*words: str | int) -> Steps:
    """Do something with the mouse or the keyboard, and let Blender notice."""
    process = subprocess.Popen(["xdotool", *map(str, words)])
    yield lambda: process.poll() is not None
    yield 0.05


def move(x: int, y: int) -> Steps:
    """Move the mouse to a place in the window, counted as Blender does, from the bottom."""
    height = bpy.context.window_manager.windows[0].height
    yield from xdotool("mousemove", x, height - 1 - y)


def find_button(operator: str) -> Generator[float | Callable[[], object], None, tuple[int, int]]:
    """Look for an operator's button in the sidebar, row by row: Ctrl-C copies the command of what the mouse is over."""
    region = sidebar()
    manager = bpy.context.window_manager
    columns = [region.width // 2, region.width // 4, region.width * 3 // 4, region.width - 40]
    for column in columns:
        for below in range(30, min(region.height, 400), 10):
            x, y = region.x + column, region.y + region.height - below
            manager.clipboard = ""
            yield from move(x - 2, y)  # a button is noticed when the mouse moves on it
            yield from move(x, y)
            yield from xdotool("key", "ctrl+c")
            if operator in manager.clipboard:
                return x, y
    picture("no-button.png")
    raise AssertionError(f"no button of {operator} in the sidebar")


def click(operator: str) -> Steps:
    """Click an operator's button in the sidebar."""
    x, y = yield from find_button(operator)
    stage.tell("button", operator=operator, x=x, y=y)
    yield from xdotool("click", 1)


def picture(name: str) -> Steps:
    """Take a picture of the whole screen into ``/work/pictures``."""
    folder = Path("/work/pictures")
    folder.mkdir(exist_ok=True)
    redraw()
    yield DRAWN_S
    process = subprocess.Popen(["import", "-window", "root", str(folder / name)])
    end = time.monotonic() + _PICTURE_LIMIT_S
    yield lambda: process.poll() is not None or time.monotonic() > end
    assert process.poll() == 0, "no picture was taken"
    stage.tell("picture", name=name)
