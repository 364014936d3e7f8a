"""The user's file: ``config.toml``, read strictly and edited without losing a comment.

::

    load(path=None) -> Config       what the file says, checked; a missing file means the defaults
    config_file()                   where it is: $HYBRIDISCO_CONFIG, else the platform's config folder
    state_folder()                  where sidecar ids and last-known services are kept
    edit.add_service(…) and others  change the file (needs tomlkit, which is loaded only there)

A wrong file is a :class:`~hybridisco.core.errors.ConfigError` that names file, key and line, and what is
allowed. A wrong file is never overwritten.

====================  =====================================================================
:mod:`.model`         Config and ManualEntry: what comes out
:mod:`.text`          bytes to TOML: sizes, encodings, syntax errors, on which line a key stands
:mod:`.table`         one TOML table, taken apart strictly
:mod:`.schema`        which keys there are, and what each may be
:mod:`.edit`          add and remove entries, keeping comments and order
:mod:`.example`       the commented file that ``hybridisco config init`` writes
:mod:`.regular`       reading a file that may be something else, within bounds
:mod:`.defaults`      what holds where the file says nothing
:mod:`.dump`          the settings that hold, written as such a file
:mod:`.doubts`        what is allowed, but probably not meant
====================  =====================================================================
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as type checkers read it; importing typing takes some milliseconds

if TYPE_CHECKING:
    from hybridisco.config.model import AnnounceSettings, Config, ManualEntry
    from hybridisco.config.schema import load
    from hybridisco.config.text import config_file, state_folder

__all__ = ["AnnounceSettings", "Config", "ManualEntry", "config_file", "load", "state_folder"]

_WHERE = {
    "AnnounceSettings": ".model",
    "Config": ".model",
    "ManualEntry": ".model",
    "load": ".schema",
    "config_file": ".text",
    "state_folder": ".text",
}


def __getattr__(name: str) -> object:
    # Imported when used: where the file is can be asked long before what it says.
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_WHERE[name], __package__), name)
    return value
