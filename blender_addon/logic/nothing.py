"""What the panel says when there is nothing to show: what was tried, and the three likeliest reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hybridisco import Config, Snapshot, SourceName

from .words import say

_REASONS = 3
_PLACES = 3  # hosts or ports that are named


@dataclass(frozen=True, slots=True)
class Reason:
    """Why nothing may be there, and what to do about it."""

    why: str
    do: str


def tried(config: Config, snapshot: Snapshot) -> tuple[str, ...]:
    """Return a line for each source that was asked."""
    states = dict(snapshot.sources)
    lines: list[str] = []
    for name in config.sources:
        source = SourceName(name)
        failed = source in states and states[source].state == "error"
        lines.append(f"{_place(config, source)} – {say('failed')}" if failed else _place(config, source))
    return tuple(lines)


def reasons(config: Config, snapshot: Snapshot) -> tuple[Reason, ...]:
    """Return the likeliest reasons: what was noticed goes before what is only usual."""
    return tuple(reason for reason, _ in zip(_every_reason(config, snapshot), range(_REASONS), strict=False))


def _place(config: Config, source: SourceName) -> str:
    if source is SourceName.MDNS:
        return say("mDNS on all networks of this machine")
    if source is SourceName.PROBE:
        return say("The usual ports of {hosts}", hosts=_some(config.probe_hosts) or say("no host"))
    number = len(config.services)
    return say("{number} manual entries", number=number) if number else say("No manual entries")


def _every_reason(config: Config, snapshot: Snapshot) -> Iterator[Reason]:
    states = dict(snapshot.sources)
    if not config.sources:
        yield Reason(say("Every way of searching is switched off."), say("Switch one on in the preferences."))
        return
    silent = [end for _, state in snapshot.sources for end in state.silent]
    if silent:
        ports = _some(f"{end.dial}:{end.port}" for end in silent)
        yield Reason(
            say("{ports} accepts connections but does not answer: it is loading or stuck.", ports=ports),
            say("Look at its console; it appears here by itself when it is ready."),
        )
    for source in (SourceName.MDNS, SourceName.PROBE):
        state = states.get(source)
        if state is not None and state.state in ("error", "partial") and state.detail:
            yield Reason(_sentence(state.detail), say("Mend that, then press Discover."))
    yield Reason(
        say("No backend is running yet."),
        say("Start ComfyUI or another one; it appears here within seconds."),
    )
    yield Reason(
        say("It runs on another machine, and listens for that machine only or is not announced."),
        say("Start it there for the LAN (ComfyUI: --listen 0.0.0.0), then run “hybridisco announce” beside it."),
    )
    yield Reason(
        say("The network does not carry mDNS (VPN, guest Wi-Fi, Docker, WSL2)."),
        say("Add it below by its address, or name its machine under Hosts in the preferences."),
    )


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = say(" and {number} more", number=len(every) - _PLACES) if len(every) > _PLACES else ""
    return ", ".join(every[:_PLACES]) + more


def _sentence(text: str) -> str:
    shown = text[:1].upper() + text[1:]
    return shown if shown.endswith((".", "!", "?")) else f"{shown}."
