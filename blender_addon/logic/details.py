"""What the panel says of one service, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hybridisco import Service, SourceName, Status

from .headline import moment
from .trust import signed
from .words import say

_PROPERTIES = {"gpu": "GPU", "vram_mib": "VRAM", "queue": "Queue", "title": "Title", "auth": "Login"}
_GIB = 1024  # MiB
UNKNOWN = "http"
"""The kind of a server that nobody knows."""

_VALUE_LIMIT = 80  # characters of a property that we do not know

STATUS_WORDS: dict[Status, str] = {
    Status.ONLINE: "Online",
    Status.BUSY: "Busy",
    Status.STARTING: "Starting",
    Status.LOCKED: "Locked",
    Status.STALE: "Being checked",
    Status.MISMATCH: "Something else answers",
    Status.UNREACHABLE: "Unreachable",
    Status.UNTRUSTED: "Not trusted",
}
_SOURCES = {SourceName.MDNS: "mDNS", SourceName.PROBE: "probe", SourceName.MANUAL: "manual"}


@dataclass(frozen=True, slots=True)
class Line:
    """A label and what it says."""

    label: str
    value: str


def details(service: Service, title: Callable[[str], str], now: float, *, last_known: bool = False) -> tuple[Line, ...]:
    """Return everything that is known of a service, in the order of use.

    :param title: gives a kind's name for people.
    :param now: seconds since the epoch.
    :param last_known: it is known from before and was not checked yet.
    """
    return tuple(line for line in _lines(service, title, now, last_known) if line.value)


def _lines(service: Service, title: Callable[[str], str], now: float, last_known: bool) -> Iterator[Line]:
    status = say("Last known") if last_known else say(STATUS_WORDS[service.status])
    yield Line(say("Status"), status)
    kind = say("unknown") if service.kind == UNKNOWN else title(service.kind)
    yield Line(say("Kind"), f"{kind} {service.version or ''}".strip())
    yield Line(say("URL"), service.url)
    yield Line(say("Host"), service.host)
    if service.latency_ms is not None:
        yield Line(say("Latency"), _milliseconds(service.latency_ms))
    for name, value in service.properties:
        yield Line(say(_PROPERTIES.get(name, name.replace("_", " ").capitalize())), _value(name, value))
    yield Line(say("Makes"), ", ".join(say(name) for name in service.capabilities))
    yield Line(say("Found by"), ", ".join(say(_SOURCES[source]) for source in service.sources))
    yield Line(say("Signed"), signed(service, last_known=last_known))
    for number, endpoint in enumerate(service.endpoints):
        if number:
            yield Line(say("Also at"), endpoint.url)
    yield Line(say("Last seen"), _seen(service, now, last_known))


def _seen(service: Service, now: float, last_known: bool) -> str:
    if last_known or not service.alive:
        return say("never") if service.last_seen <= service.first_seen else moment(service.last_seen, now)
    return say("now")


def _milliseconds(latency_ms: float) -> str:
    return f"{latency_ms:.1f} ms" if latency_ms < 10 else f"{latency_ms:.0f} ms"


def _value(name: str, value: str | int | float | bool) -> str:
    if name == "vram_mib" and isinstance(value, int | float):
        return f"{value / _GIB:.0f} GiB" if value >= _GIB else f"{value:.0f} MiB"
    if name == "queue":
        return say("{number} waiting", number=value)
    return str(value)[:_VALUE_LIMIT]
