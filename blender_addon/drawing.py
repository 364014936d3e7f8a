"""Small things that both the panel and the preferences draw."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import blf
import bpy

from .logic.wrapping import wrapped

_FONT = 0  # Blender's own
_MARGIN = 58  # pixels at 1x: the sidebar's tabs and scroll bar, and the panel's padding
_BOX = 20
_ICON = 24


def layout_of(
    drawn: bpy.types.Panel | bpy.types.Menu | bpy.types.AddonPreferences | bpy.types.Operator,
) -> bpy.types.UILayout:
    """Return where a panel, menu, page or dialog is drawn."""
    layout = drawn.layout
    assert layout is not None, "Blender gives one whenever it calls draw()"
    return layout


def label(layout: bpy.types.UILayout, text: str = "", icon: str = "NONE") -> None:
    """Draw a text that is in the user's language already, or comes from the network: Blender must not translate it."""
    layout.label(text=text, icon=cast(Any, icon), translate=False)


def button(
    layout: bpy.types.UILayout,
    operator: str,
    text: str | None = None,
    icon: str = "NONE",
    *,
    emboss: bool = True,
    depress: bool = False,
    **values: str | int,
) -> None:
    """Draw an operator's button with its properties set; its own name stands on it if ``text`` is None."""
    more: dict[str, Any] = {} if text is None else {"text": text, "translate": False}
    drawn = layout.operator(operator, icon=cast(Any, icon), emboss=emboss, depress=depress, **more)
    for name, value in values.items():
        setattr(drawn, name, value)


@lru_cache(maxsize=2048)
def _width(text: str, size: float) -> float:
    blf.size(_FONT, size)
    return float(blf.dimensions(_FONT, text)[0])


def sentences(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    text: str,
    *,
    icon: str = "NONE",
    alert: bool = False,
    share: float = 1.0,
    boxed: bool = False,
) -> None:
    """Draw a text in as many lines as it needs.

    :param icon: stands before the first line; the others are indented by as much.
    :param share: the part of the region's width that the text has.
    :param boxed: whether it stands in a box, which takes some of that.
    """
    scale, size = _scale(context)
    room = (context.region.width - _MARGIN * scale) * share if context.region else 300.0
    room -= (_BOX * boxed + _ICON * (icon != "NONE")) * scale
    column = layout.column(align=True)
    column.alert = alert
    column.scale_y = 0.8
    text = text.replace("`", "")  # commands stand in such marks where text is Markdown
    for number, line in enumerate(wrapped(text, max(room, 60.0), lambda part: _width(part, size))):
        label(column, line, icon if number == 0 or icon == "NONE" else "BLANK1")


def _scale(context: bpy.types.Context) -> tuple[float, float]:
    """Return pixels a unit, and the size of the font in pixels."""
    preferences = context.preferences
    scale = preferences.system.ui_scale if preferences else 1.0
    points = preferences.ui_styles[0].widget.points if preferences else 11.0
    return scale, points * scale
