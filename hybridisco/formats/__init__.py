"""Pure ways from a :class:`~hybridisco.core.model.Snapshot` to text: one file each, one line each in the list.

A format is a module with a function ``render(snapshot, look) -> str``, without a newline at the end. It is
imported when it is used. Formats print nothing and ask nobody what the time or the terminal is.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from hybridisco.core.errors import UsageError
from hybridisco.core.model import Snapshot


@dataclass(frozen=True, slots=True)
class Look:
    """What the paper is like: columns, whether colours are wanted, whether more than ASCII can be shown.

    ``ids`` asks for the services' ids, which only some want to see. ``checking`` tells that signatures are to be
    checked: then one that could not be is marked.
    """

    width: int = 80
    color: bool = False
    unicode: bool = True
    ids: bool = False
    checking: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """One line of the list: where the format is, and what it is for."""

    module: str
    summary: str


Renderer = Callable[[Snapshot, Look], str]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "table": Format("hybridisco.formats.table", "a table for people"),
        "json": Format("hybridisco.formats.json_", "one JSON document"),
        "env": Format("hybridisco.formats.env", "HYBRIDISCO_COMFYUI_URL=… lines, the best service of each kind"),
        "urls": Format("hybridisco.formats.urls", "one URL a line, of what answers"),
        "prometheus": Format("hybridisco.formats.prometheus", "targets for Prometheus (file_sd, http_sd)"),
    }
)


def render(name: str, snapshot: Snapshot, look: Look | None = None) -> str:
    """Return ``snapshot`` in the format ``name``. :raises UsageError: there is no such format."""
    if name not in FORMATS:
        raise UsageError(f"{ascii(name)[:40]} is not a format. Allowed: {', '.join(FORMATS)}.")
    renderer = cast(Renderer, importlib.import_module(FORMATS[name].module).render)
    return renderer(snapshot, look or Look())
