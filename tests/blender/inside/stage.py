"""What the scripts that run in Blender share: tell, wait, install, enable, look at what is there.

A script calls ``play(function)`` last. In Blender's Python module no timer ever fires, so ``TIMERS`` stands in for
them and keeps their promises: who raises is dropped, who is not persistent is dropped when a file is opened. In a
window (``tests/blender/window``) Blender's own timers do their work.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import logging
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import bpy

# isort: split
import addon_utils  # there once bpy is

T = TypeVar("T")

OURS = "bl_ext.user_default.hybridisco"
PREFIXES = ("HYBRIDISCO_", "MOVIE_DIRECTOR_")
FOUND_LIMIT_S = 20.0  # imports, a sweep of 200 ports and an mDNS answer, on a machine that does other things too
_TURN_S = 0.01


class Timers:
    """``bpy.app.timers``, turned by hand."""

    def __init__(self) -> None:
        self._due: dict[Callable[[], float | None], tuple[float, bool]] = {}
        self.raised: list[str] = []

    def register(
        self, function: Callable[[], float | None], *, first_interval: float = 0.0, persistent: bool = False
    ) -> None:
        self._due[function] = (time.monotonic() + first_interval, persistent)

    def unregister(self, function: Callable[[], float | None]) -> None:
        if function not in self._due:
            raise ValueError("Error: function is not registered")
        del self._due[function]

    def is_registered(self, function: Callable[[], float | None]) -> bool:
        return function in self._due

    def turn(self) -> None:
        """Call whatever is due."""
        for function, (when, persistent) in list(self._due.items()):
            if when > time.monotonic() or function not in self._due:
                continue
            try:
                again = function()
            except Exception:  # noqa: BLE001 - whatever it is, the test is told
                traceback.print_exc()
                self.raised.append(traceback.format_exc())
                again = None
            if function in self._due:
                if again is None:
                    del self._due[function]
                else:
                    self._due[function] = (time.monotonic() + again, persistent)

    def file_opened(self) -> None:
        """Drop those that do not survive it."""
        self._due = {function: entry for function, entry in self._due.items() if entry[1]}

    @property
    def ours(self) -> list[str]:
        """The names of those that an extension has registered."""
        return [repr(function) for function in self._due]


class _Errors(logging.Handler):
    """Keeps what is logged as an error: the extension catches what goes wrong in it, and logs that."""

    def emit(self, record: logging.LogRecord) -> None:
        ERRORS.append(record.getMessage())


ERRORS: list[str] = []
logging.getLogger().addHandler(_Errors(logging.ERROR))
logging.getLogger().addHandler(logging.StreamHandler())

TIMERS = Timers()
if bpy.app.background:
    bpy.app.timers.register = TIMERS.register
    bpy.app.timers.unregister = TIMERS.unregister
    bpy.app.timers.is_registered = TIMERS.is_registered


def play(function: Callable[..., object]) -> NoReturn:
    """Run the script with its arguments, and end the process without Blender's own end.

    With a class still registered 4.2 crashes at exit and 4.5 hangs.
    """
    faulthandler.enable()
    faulthandler.dump_traceback_later(float(os.environ.get("SCRIPT_LIMIT_S", "110")), exit=True)
    code = 0
    try:
        function(*sys.argv[1:])
        assert not TIMERS.raised, "a timer raised"
        assert not ERRORS, f"errors were logged: {ERRORS}"
    except BaseException:  # noqa: BLE001 - whatever it is, Blender's own end is not reached
        traceback.print_exc()
        code = 1
    try:
        for name in enabled():
            disable(name)
    except BaseException:  # noqa: BLE001 - as above
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def tell(what: str, **facts: Any) -> None:
    """Give the test a fact to judge."""
    print("\n" + json.dumps({"told": what, **facts}, default=str), flush=True)


def until(condition: Callable[[], T], limit_s: float, what: str) -> T:
    """Let the timers turn until ``condition`` is true."""
    end = time.monotonic() + limit_s
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what}")
        TIMERS.turn()
        time.sleep(_TURN_S)
    return answer


# -- extensions ---------------------------------------------------------------------------------------


def install(path: str) -> Path:
    """Install an extension from disk, as a drop into the window does; return its folder."""
    bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=False)
    name = Path(path).name.rpartition("-")[0]
    folder = Path(bpy.utils.user_resource("EXTENSIONS", path="user_default")) / name
    # The operator says FINISHED also when it refused.
    assert (folder / "blender_manifest.toml").is_file(), f"{path} was not installed: {list(folder.parent.iterdir())}"
    return folder


def enable(module: str = OURS) -> None:
    """Switch an extension on, as the tick in the preferences does."""
    bpy.ops.preferences.addon_enable(module=module)
    assert is_enabled(module), f"{module} could not be enabled"


def disable(module: str = OURS) -> None:
    """Switch it off."""
    bpy.ops.preferences.addon_disable(module=module)


def is_enabled(module: str = OURS) -> bool:
    """Whether it is on, and its code runs."""
    return addon_utils.check(module)[1]


def enabled() -> list[str]:
    """The extensions that are on."""
    return [addon.module for addon in bpy.context.preferences.addons if addon.module.startswith("bl_ext.")]


def uninstall(name: str = "hybridisco") -> Path:
    """Remove an extension; return the folder that it had."""
    repos = bpy.context.preferences.extensions.repos
    index = next(number for number, repo in enumerate(repos) if repo.module == "user_default")
    bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id=name)
    return Path(bpy.utils.user_resource("EXTENSIONS", path="user_default")) / name


def allow_online(allowed: bool = True) -> None:
    """The tick "Allow Online Access" in the preferences."""
    bpy.context.preferences.system.use_online_access = allowed


def policy_warnings() -> dict[str, list[str]]:
    """What Blender itself has to say against the extensions."""
    addon_utils._extensions_warnings_get._is_first = True
    return {str(name): [str(one) for one in found] for name, found in addon_utils._extensions_warnings_get().items()}


# -- Blender ------------------------------------------------------------------------------------------


def save_preferences() -> None:
    """Press "Save Preferences"."""
    assert bpy.ops.wm.save_userpref() == {"FINISHED"}


def restart() -> None:
    """Begin as Blender does: with the preferences that were saved, and the add-ons that were on.

    The Python module always starts with factory settings. Its ``read_userpref`` crashes in 4.2; there, leaving an
    application template that has preferences of its own makes Blender read the user's.
    """
    if bpy.app.version >= (4, 3):
        bpy.ops.wm.read_userpref()
        return
    saved = Path(bpy.utils.user_resource("CONFIG")) / "userpref.blend"
    aside = saved.rename(saved.with_suffix(".aside"))
    save_preferences()
    template = Path(bpy.utils.user_resource("SCRIPTS", path="startup/bl_app_templates_user/other", create=True))
    shutil.move(saved, template / "userpref.blend")
    aside.rename(saved)
    bpy.ops.wm.read_homefile(app_template="other", use_factory_startup=False)
    bpy.ops.wm.read_homefile(app_template="", use_factory_startup=False)


def new_file() -> None:
    """Choose "File › New"."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    TIMERS.file_opened()


def open_file(path: str) -> None:
    """Choose "File › Open"."""
    assert bpy.ops.wm.open_mainfile(filepath=path) == {"FINISHED"}
    TIMERS.file_opened()


def traces() -> dict[str, list[str]]:
    """What an extension adds to the process, and must take away: everything here is compared before and after."""
    keymaps = bpy.context.window_manager.keyconfigs.addon
    return {
        "classes": [name for name in dir(bpy.types) if name.startswith(PREFIXES)],
        "operators": [f"{group}.{name}" for group in ("hybridisco", "movie_director") for name in _operators(group)],
        "properties": [
            f"{kind.__name__}.{name}"
            for kind in (bpy.types.WindowManager, bpy.types.Scene, bpy.types.Object, bpy.types.Screen, bpy.types.ID)
            for name in dir(kind)
            if "hybridisco" in name.lower()
        ],
        "handlers": [
            f"{event}: {handler.__module__}"
            for event in dir(bpy.app.handlers)
            if isinstance(handlers := getattr(bpy.app.handlers, event), list)
            for handler in handlers
            if "hybridisco" in getattr(handler, "__module__", "")
        ],
        "keymaps": [item.idname for keymap in (keymaps.keymaps if keymaps else ()) for item in keymap.keymap_items],
        "timers": TIMERS.ours,
        "threads": threads(),
        "sockets": sockets(),
    }


def threads() -> list[str]:
    """The names of all Python threads but the main one."""
    return [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]


def sockets() -> list[str]:
    """The sockets of this process, as the kernel names them."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue  # the one that lists the folder
        if target.startswith("socket:"):
            found.append(target)
    return sorted(found)


def _operators(group: str) -> list[str]:
    return list(dir(getattr(bpy.ops, group)))


# -- ours ---------------------------------------------------------------------------------------------


def api() -> Any:
    """Our module for other extensions."""
    return importlib.import_module(f"{OURS}.api")


def session() -> Any:
    """What goes on in our extension."""
    return importlib.import_module(f"{OURS}.session").current()


def preferences() -> Any:
    """Our preferences."""
    return bpy.context.preferences.addons[OURS].preferences


def rows() -> list[dict[str, Any]]:
    """What the list shows."""
    names = ("service_id", "kind", "title", "host", "url", "status", "version", "last_known")
    return [{name: getattr(row, name) for name in names} for row in preferences().discovered]


def chosen() -> dict[str, dict[str, str]]:
    """The chosen service of each kind."""
    return {
        one.kind: {"service_id": one.service_id, "title": one.title, "url": one.url} for one in preferences().chosen
    }


def row(kind: str, host: str | None = None) -> dict[str, Any] | None:
    """The row of a kind (on a host), if there is one."""
    found = [each for each in rows() if each["kind"] == kind and (host is None or each["host"].startswith(host))]
    return found[0] if found else None


def online(kind: str, host: str | None = None) -> dict[str, Any] | None:
    """The same, once it has answered."""
    found = row(kind, host)
    return found if found and found["status"] == "online" and not found["last_known"] else None


def until_online(kind: str, host: str | None = None) -> dict[str, Any]:
    """Wait until a service is in the list, and has answered."""
    where = f" on {host}" if host else ""
    try:
        found = until(lambda: online(kind, host), FOUND_LIMIT_S, f"{kind}{where} is online")
    except AssertionError:
        tell("rows at the end", rows=rows(), threads=threads(), timers=TIMERS.ours)
        raise
    assert found is not None
    return found
