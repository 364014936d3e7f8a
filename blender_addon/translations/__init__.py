"""The extension in other languages: Blender's own form, (context, English) → translation.

What the panel says by itself has a context of its own, so that Blender's words, which mean something else, do not get
in its way, nor ours in Blender's. Names and tooltips are looked up by Blender in its own contexts: where Blender knows
the same word there, its translation is the one that is shown. A test sees to it that each language is complete.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import de

SAID = "Hybridisco"
"""The context of what goes through ``say()``."""

_ANY, _OPERATOR = "*", "Operator"  # Blender's contexts: an operator's label has one of its own


def _language(
    said: Mapping[str, str], names: Mapping[str, str], operators: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    contexts = ((SAID, said), (_ANY, names), (_OPERATOR, operators))
    return {(context, english): text for context, every in contexts for english, text in every.items()}


#: By language as Blender names it.
TABLE: dict[str, dict[tuple[str, str], str]] = {"de_DE": _language(de.SAID, de.NAMES, de.OPERATORS)}
