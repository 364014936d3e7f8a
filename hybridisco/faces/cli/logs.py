"""What is logged, and how: to stderr, in plain words."""

from __future__ import annotations

import logging
import sys


def start_logging(verbosity: int, *, talkative: bool = False) -> None:
    """Send logs to stderr: warnings only; with 1 what is done; with 2 everything of ours.

    ``talkative`` shows what a sidecar does also with 0.
    """
    plain = verbosity < 2
    logging.basicConfig(
        stream=sys.stderr,
        format="%(message)s" if plain else "%(asctime)s %(levelname)s %(name)s: %(message)s",
        level=logging.WARNING if plain else logging.INFO,
        force=True,
    )
    for name, shown in (("hybridisco", False), ("announcers", talkative)):
        quiet = logging.INFO if shown else logging.WARNING
        logging.getLogger(name).setLevel((quiet, logging.INFO, logging.DEBUG)[min(verbosity, 2)])
    # They print tracebacks of what is no trouble: a link that goes down, an IPv6 address a second too young to be used.
    for name in ("zeroconf", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL if plain else logging.INFO)
