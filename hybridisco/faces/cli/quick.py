"""`hybridisco list` as it is mostly asked for: nothing heavy is imported before it has to be.

asyncio, click and aiohttp take 40, 20 and 90 ms, and knocking at each port of this machine takes five. So it knocks
first: if no port is open, and nothing else is to be searched, that is the answer. If some are, aiohttp is imported
beside all the rest; but where the LAN is asked, only when that question has left.
"""

from __future__ import annotations

import sys
import time

from hybridisco.config import config_file, defaults
from hybridisco.faces.cli import nothing, outcome
from hybridisco.kinds import offered, usual
from hybridisco.sources.knock import LOOPBACK, knock

TYPE_CHECKING = False  # as type checkers read it; importing typing takes some milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridisco.sources.knock import Knocked


def sources_asked(options: Sequence[str]) -> tuple[str, ...] | None:
    """Return the sources that the options of `list` name, none if all are meant.

    None stands for what takes the full command line: other options, and wrong ones.
    """
    words = iter(options)
    named = []
    for word in words:
        option, equals, source = word.partition("=")
        if not equals:
            source = next(words, "")
        if option != "--source" or source not in defaults.SOURCES:
            return None
        named.append(source)
    return tuple(dict.fromkeys(named))


def run(sources: tuple[str, ...]) -> int:
    """Search by these sources (none: by those of the settings), print what was found, and return the exit status."""
    began = time.perf_counter()
    knocked: Knocked | None = None
    if "probe" in (sources or defaults.SOURCES) and _nothing_is_set():
        more = (port for low, high in defaults.PROBE_PORTS for port in range(low, high + 1))
        ports = dict.fromkeys([*usual.PORTS, *more])
        knocked = knock([(address, port) for address in LOOPBACK for port in ports])
        if sources == ("probe",):
            if not any(knocked):
                _say_nothing((time.perf_counter() - began) * 1000)
                return outcome.NOTHING
            _import_meanwhile()  # else the question to the LAN goes first
    from hybridisco.faces.cli.listing import list_services
    from hybridisco.faces.cli.logs import start_logging

    start_logging(0)
    return list_services(sources=sources, knocked=knocked)


def _nothing_is_set() -> bool:
    """Whether there are neither settings of the user nor kinds of other packages."""
    try:
        config_file().lstat()
    except (FileNotFoundError, NotADirectoryError):
        return not offered.by_packages()
    except (OSError, ValueError):  # nobody can tell: who reads it says why
        return False
    return False


def _say_nothing(took_ms: float) -> None:
    outcome.say(nothing.headline(took_ms))
    outcome.say(
        nothing.points("Tried", [nothing.probe_place(defaults.PROBE_HOSTS, defaults.PROBE_PORTS, usual.NUMBER)])
    )
    steps = [nothing.STARTING, nothing.ELSEWHERE, nothing.KNOWN, nothing.MISSING, nothing.CURIOUS]
    outcome.say(nothing.points("Next", steps))


def _import_meanwhile() -> None:
    """Import in a thread what asks the open ports, and then what draws the table: there is time until they answer."""
    import importlib
    import threading

    draws = "rich.console" if sys.stdout is not None and sys.stdout.isatty() else "rich.text"

    def load() -> None:
        for module in ("hybridisco.sources.probe", "hybridisco.formats.table", draws):
            try:
                importlib.import_module(module)
            except ImportError:
                return  # whoever needs it says so

    threading.Thread(target=load, name="hybridisco-imports", daemon=True).start()
