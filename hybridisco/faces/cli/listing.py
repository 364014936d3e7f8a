"""A search from its settings to what is printed: `list`, and the end of `probe`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from hybridisco.config import Config, load
from hybridisco.core.model import Snapshot, Status
from hybridisco.core.trust import OFF
from hybridisco.faces.cli.outcome import FOUND, echo, raise_when_interrupted, say
from hybridisco.faces.cli.search import Wish, answering, search, warn, wish
from hybridisco.faces.cli.terminal import look
from hybridisco.formats import render

if TYPE_CHECKING:
    from hybridisco.core.target import Target
    from hybridisco.sources.knock import Knocked


def list_services(
    fmt: str = "table",
    *,
    kinds: Iterable[str] = (),
    sources: Iterable[str] = (),
    hosts: Iterable[str] = (),
    show_all: bool = False,
    timeout_s: float | None = None,
    wait: bool = False,
    ids: bool = False,
    knocked: Knocked | None = None,
) -> int:
    """Search, print what was found, and return the exit status.

    :param wait: end at the first wanted service that answers.
    :param knocked: what has been found out already about the ports of this machine.
    """
    config = load()
    want = wish(config, kinds, sources, hosts, show_all)
    with asyncio.Runner() as runner:
        runner.get_loop()  # a loop that is half made when a Ctrl-C comes complains on stderr
        raise_when_interrupted()
        snapshot = runner.run(search(config, want, timeout_s, wait=wait, knocked=knocked))
    show(fmt, config, want, snapshot, ids=ids, enough=wait)
    return answering(want.filtered(snapshot))


def show(
    fmt: str,
    config: Config,
    want: Wish,
    snapshot: Snapshot,
    *,
    probed: Target | None = None,
    ids: bool = False,
    enough: bool = False,
) -> None:
    """Print what is wanted of a snapshot on stdout, and on stderr what else there is to say.

    :param probed: the one host that was searched, if so.
    :param ids: show them in the table.
    :param enough: the first that answers was asked for: if there is one, that more may be there is no news.
    """
    shown = want.filtered(snapshot)
    if fmt == "table" and enough and answering(shown) == FOUND:
        shown = replace(shown, complete=True)
    text = render(fmt, shown, replace(look(), ids=ids, checking=config.trust_mode != OFF))
    if text:
        echo(text)
    told = fmt == "json" or (fmt == "table" and shown.services)  # these tell of warnings themselves
    warn(config, None if told else snapshot)
    from hybridisco.faces.cli.explain import explain_nothing, unclear

    if not shown.services:
        explain_nothing(config, want, snapshot, probed)
        return
    if not text:
        say(_none_usable(shown))
    for line in unclear(config, want, snapshot):
        say(line)


def _none_usable(shown: Snapshot) -> str:
    """Return what to say where nothing of what was found can be printed."""
    number = len(shown.services)
    untrusted = sum(service.status is Status.UNTRUSTED for service in shown.services)
    what = f"none that may be used ({untrusted} untrusted)" if untrusted else "none answers"
    return f"{number} service{'' if number == 1 else 's'}, {what}; `hybridisco list` says why."
