"""German. Nobody is addressed: "hinzufügen", neither "fügen Sie hinzu" nor "füge hinzu", as in most of Blender.

A kind is an "Art", a host a "Rechner", what the user writes down an "eigener Eintrag", and to discover is "suchen".
"""

from __future__ import annotations

from . import operators, panel, settings

#: What goes through say().
SAID: dict[str, str] = {**panel.SAID, **operators.SAID, **settings.SAID}

#: Names, labels and tooltips, which Blender looks up itself.
NAMES: dict[str, str] = {**panel.NAMES, **operators.NAMES, **settings.NAMES}

#: Labels of operators.
OPERATORS: dict[str, str] = operators.LABELS
