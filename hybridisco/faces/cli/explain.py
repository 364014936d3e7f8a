"""What to say when nothing was found, and of what was found but cannot be told yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from hybridisco.config import Config
from hybridisco.core.identity import THIS_MACHINE
from hybridisco.core.model import Endpoint, Service, Snapshot, SourceName, SourceState, Status
from hybridisco.core.target import Target
from hybridisco.faces.cli import nothing
from hybridisco.faces.cli.outcome import say
from hybridisco.faces.cli.search import Wish

_TITLES = 3  # kinds named for one port: 7860 is the usual one of many
_SILENT = 5  # silent ports told of


def explain_nothing(config: Config, want: Wish, snapshot: Snapshot, probed: Target | None = None) -> None:
    """Say on stderr what was tried, what was left out, and what to do next. ``probed`` is the one host searched."""
    what = " or ".join(want.kinds) if want.kinds else "backend"
    places = [str(host) for host in ([probed] if probed else want.hosts)]
    at = f" on {', '.join(places)}" if places else ""
    say(nothing.headline(snapshot.elapsed_s * 1000, what, at))
    for line in unclear(config, want, snapshot):
        say(line)
    states = {name.value: state for name, state in snapshot.sources}
    tried = zip(want.sources, _places(config, want.sources), strict=True)
    say(nothing.points("Tried", (f"{place}{_trouble(states.get(source))}" for source, place in tried)))
    if left_out := nothing.points("Left out", _left_out(config, want, snapshot)):
        say(left_out)
    say(nothing.points("Next", _next_steps(config, want, probed)))


def _left_out(config: Config, want: Wish, snapshot: Snapshot) -> Iterator[str]:
    hidden = sum(want.hides(service) for service in snapshot.services)
    others = len(snapshot.services) - hidden
    if hidden:
        yield f"{hidden} ignored or of no known kind; --all shows them"
    if others:
        yield f"{others} that {_filters(config, want)} not ask for"


def unclear(config: Config, want: Wish, snapshot: Snapshot) -> list[str]:
    """Return a line for each place where a wanted backend may be that does not (yet) say what it is.

    Such as one that loads its model, hangs, or hides behind a login. Where something else is shown, a silent port
    is only told of if it is a kind's usual one: a program that is no web server is no news.
    """
    nothing_shown = not want.filtered(snapshot).services
    return [*_silent(config, want, snapshot, any_port=nothing_shown), *_nameless(config, want, snapshot)]


def _silent(config: Config, want: Wish, snapshot: Snapshot, *, any_port: bool) -> Iterator[str]:
    listed = {(endpoint.dial, endpoint.port) for service in snapshot.services for endpoint in service.endpoints}
    places: dict[str, int] = {}
    for _, state in snapshot.sources:
        for endpoint in state.silent:
            known = (endpoint.dial, endpoint.port) in listed or not _may_be_meant(config, want, endpoint)
            if not known and (any_port or _usual(config, endpoint.port)):
                places.setdefault(_port_in_words(endpoint), endpoint.port)
    for number, (place, port) in enumerate(places.items()):
        if number == _SILENT:
            yield f"So do {len(places) - _SILENT} more ports."
            return
        usual = _usual(config, port)
        yield (
            f"{place} accepts connections but does not answer{f' ({usual})' if usual else ''}: "
            f"{'it' if usual else 'a backend there'} is probably loading or stuck. Look at its console."
        )


def _nameless(config: Config, want: Wish, snapshot: Snapshot) -> Iterator[str]:
    for service in snapshot.services:
        if not _hidden_for_its_kind(want, service) or not _may_be_meant(config, want, service.endpoints[0]):
            continue
        if service.status is Status.STARTING:
            yield f"Something at {service.url} is not ready yet; what it is cannot be told so far. --all shows it."
        elif service.status is Status.LOCKED:
            yield f"Something at {service.url} wants a login; what it is cannot be told without. --all shows it."


def _hidden_for_its_kind(want: Wish, service: Service) -> bool:
    return want.hides(service) and service.id not in want.ignored


def _may_be_meant(config: Config, want: Wish, endpoint: Endpoint) -> bool:
    """Whether a wanted kind may be at ``endpoint``: not where other kinds usually are, nor on another host."""
    usual = {kind.id for kind in config.kinds if endpoint.port in kind.ports}
    if want.kinds and usual and not usual & set(want.kinds):
        return False
    return not want.hosts or any(
        host.port in (None, endpoint.port)
        and (host.host in (endpoint.address, endpoint.host) or (host.host == THIS_MACHINE and _loopback(endpoint)))
        for host in want.hosts
    )


def _usual(config: Config, port: int) -> str:
    """Return whose usual port this is, likeliest first; nothing for nobody's."""
    kinds = sorted((kind for kind in config.kinds if port in kind.ports), key=lambda kind: kind.ports.index(port))
    titles = [kind.title for kind in kinds]
    if len(titles) == 1:
        return f"{titles[0]}'s usual port"
    if len(titles) > _TITLES:
        titles = [*titles[: _TITLES - 1], "others"]
    return f"the usual port of {', '.join(titles[:-1])} and {titles[-1]}" if titles else ""


def _port_in_words(endpoint: Endpoint) -> str:
    where = "" if _loopback(endpoint) else f" of {endpoint.host or endpoint.dial}"
    return f"Port {endpoint.port}{where}"


def _loopback(endpoint: Endpoint) -> bool:
    return bool(endpoint.address) and ip_address(endpoint.address).is_loopback


def _is_here(host: Target) -> bool:
    return host.host == THIS_MACHINE or (host.is_address and ip_address(host.host).is_loopback)


def _places(config: Config, sources: Iterable[str]) -> list[str]:
    """Return for people where each source looks."""
    entries = len(config.services)
    places = {
        SourceName.MDNS: f"mDNS on {', '.join(config.interfaces) or 'all networks of this machine'}",
        SourceName.PROBE: nothing.probe_place(config.probe_hosts, config.probe_ports, len(config.kinds)),
        SourceName.MANUAL: f"{entries or 'no'} manual entr{'y' if entries == 1 else 'ies'}",
    }
    return [places[SourceName(source)] for source in sources]


def _trouble(state: SourceState | None) -> str:
    """Return what is to be said of a source that did not come to its end."""
    if state is None or state.state not in ("error", "running"):
        return ""
    what = "failed" if state.state == "error" else "had no time to end; give more with --timeout"
    return f" ({what}{f': {state.detail}' if state.detail else ''})"


def _filters(config: Config, want: Wish) -> str:
    """Return the options that narrow the list, with a verb."""
    used = [("--kind", want.kinds), ("--host", want.hosts), ("--source", want.sources != config.sources)]
    names = [name for name, given in used if given] or ["this search"]
    return f"{' and '.join(names)} {'does' if len(names) == 1 else 'do'}"


def _next_steps(config: Config, want: Wish, probed: Target | None) -> Iterator[str]:
    hints = [kind.start_hint for kind in config.kinds if kind.id in want.kinds and kind.start_hint]
    yield from hints
    if probed is not None and not _is_here(probed):
        yield (
            f"Either {probed} is off, asleep or behind a firewall, or it is there and nothing listens at these ports. "
            "Perhaps its backends listen for their own machine only (127.0.0.1): `hybridisco announce` there tells."
        )
        yield f"You know the port: hybridisco probe {probed}:PORT"
        return
    if not hints:
        yield nothing.STARTING
    for host in want.hosts:
        yield f"hybridisco probe {host} looks at its ports; hybridisco announce there shows it to all."
    if not want.hosts:
        yield nothing.ELSEWHERE
    yield nothing.KNOWN
    yield nothing.MISSING
    yield nothing.CURIOUS
