"""The panel in other languages: Blender's own form, (context, English) → translation."""

from __future__ import annotations

#: By language as Blender names it. Words that Blender itself translates ("Name", "Status") are not repeated here.
TABLE: dict[str, dict[tuple[str, str], str]] = {}
