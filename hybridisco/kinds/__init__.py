"""The backend kinds that Hybridisco knows: one file of data each, and one line in :mod:`hybridisco.kinds.builtin`.

More come from other packages and from the user's file, see :mod:`hybridisco.kinds.extra`. The data is imported when it
is asked for: a search that finds no port open needs the ports only (:mod:`hybridisco.kinds.usual`).
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; importing typing takes some milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridisco.core.kind import Kind
    from hybridisco.kinds.builtin import BUILTIN

__all__ = ["BUILTIN", "get"]


def __getattr__(name: str) -> object:
    if name != "BUILTIN":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hybridisco.kinds import builtin

    return builtin.BUILTIN


def get(kinds: Iterable[Kind], name: str) -> Kind | None:
    """Return the kind with this id or alias (case does not count), or None. An id goes before an alias."""
    wanted = name.strip().lower()
    known = tuple(kinds)
    by_id = (kind for kind in known if kind.id == wanted)
    by_alias = (kind for kind in known if wanted in kind.aliases)
    return next(by_id, None) or next(by_alias, None)
