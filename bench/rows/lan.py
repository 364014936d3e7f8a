"""Finding what is announced on the LAN, cold and in process: at the sizes of the goals, and at others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from bench.goal import OURS, Goal, Row, compared
from bench.measure import Contender
from bench.packets import packets
from bench.peers.programs import avahi_browse
from bench.place import place
from bench.responders import by_avahi, by_zeroconf
from bench.worker import worker
from tests.lab.avahi import Avahi
from tests.lab.net import Host, python

PLAIN, RAW, BROWSE = "zeroconf's browser", "raw QU socket", "avahi-browse -rpt"
RESPONDERS = {"zeroconf": by_zeroconf, "avahi": by_avahi}
_AVAHI = ("avahi-daemon", "dbus-daemon", "avahi-browse")
# A responder repeats by multicast what it said within the last second only later (RFC 6762 section 6).
PAUSE_S = 1.3
_LIMIT_S = 12.0


def rows() -> list[Row]:
    """The rows of the goals, and the same at every size."""
    sizes = [(hosts, services) for hosts in (1, 10, 50) for services in (1, 10, 100, 1000) if services >= hosts]
    return [
        Row(
            "mdns-first",
            "mDNS: 10 announced, cold, in process",
            partial(_setup, "zeroconf", 1, 10),
            (Goal("≤ 0.1 × zeroconf's browser", 0.1, PLAIN, of="first"), compared(RAW, of="first")),
            floor=RAW,
            pause_s=PAUSE_S,
        ),
        Row(
            "mdns-1000",
            "mDNS: all of 1000, cold, in process",
            partial(_setup, "zeroconf", 1, 1000),
            (
                Goal("≤ 0.1 × zeroconf's browser", 0.1, PLAIN),
                Goal("≤ 5 × raw", 5.0, RAW),
                Goal("none", 0.0, PLAIN, of="lost", worst=True),
                Goal("≤ 1.5 × raw", 1.5, RAW, of="packets"),
                compared(PLAIN, of="packets"),
                compared(PLAIN, of="cpu_ms"),
            ),
            floor=RAW,
            pause_s=PAUSE_S,
            rounds=5,
        ),
        Row(
            "mdns-beside-2",
            "mDNS: all of 10, on 10 hosts, with 2 more zeroconf processes beside us",
            # Of the three, the kernel gives a unicast answer to one, by a hash of who sent it: so there are several.
            partial(_setup, "zeroconf", 10, 10, beside=2),
            (Goal("≤ 0.1 × zeroconf's browser", 0.1, PLAIN), compared(PLAIN, of="first")),
            floor=RAW,
            pause_s=PAUSE_S,
        ),
        Row(
            "mdns-1000-one-name",
            "mDNS: all of 1000 that share a host name, cold, in process",
            partial(_setup, "zeroconf", 1, 1000, one_name=True),
            (compared(PLAIN), compared(RAW), Goal("none", 0.0, PLAIN, of="lost", worst=True)),
            floor=RAW,
            pause_s=PAUSE_S,
            rounds=3,
            family="sizes",
        ),
        *(_size(responder, hosts, services) for responder in RESPONDERS for hosts, services in sizes),
        _beside_avahi("zeroconf"),
        _beside_avahi("avahi"),
        Row(
            "mdns-browse",
            "mDNS: all of 100 on 10 hosts, against avahi-browse on another host",
            _against_browse,
            (compared(BROWSE),),
            needs=_AVAHI,
            pause_s=PAUSE_S,
            rounds=3,
            family="beside",
        ),
    ]


def _size(responder: str, hosts: int, services: int) -> Row:
    return Row(
        f"mdns-{responder}-{hosts}x{services}",
        f"mDNS: all of {services} on {hosts} host{'s' * (hosts > 1)}, {responder}",
        partial(_setup, responder, hosts, services),
        (
            compared(PLAIN),
            compared(RAW),
            Goal("none", 0.0, PLAIN, of="lost", worst=True),
            compared(PLAIN, of="packets"),
        ),
        floor=RAW,
        needs=_AVAHI[:1] if responder == "avahi" else (),
        pause_s=PAUSE_S,
        rounds=3,
        warm_up=False,
        family="sizes",
    )


def _beside_avahi(responder: str) -> Row:
    return Row(
        f"mdns-beside-avahi-{responder}",
        f"mDNS: all of 10 from {responder}, with an Avahi on the host",
        partial(_setup, responder, 1, 10, avahi=True),
        (compared(PLAIN), compared(PLAIN, of="first")),
        floor=RAW,
        needs=_AVAHI,
        pause_s=PAUSE_S,
        rounds=5,
        family="beside",
    )


@contextmanager
def _setup(
    responder: str, hosts: int, services: int, *, beside: int = 0, avahi: bool = False, **how: Any
) -> Iterator[Mapping[str, Contender]]:
    with place(hosts) as here, RESPONDERS[responder](services, here.boxes, **how), ExitStack() as stack:
        desk = here.desk
        for _ in range(beside):
            idle = desk.start(python("-m", "bench.peers.zeroconf_plain"))
            idle.wait_for_log("ready", 20)
        if avahi:
            stack.enter_context(Avahi(desk))
        count = stack.enter_context(packets(desk))
        found = browsers(stack, desk, services, shared=bool(beside or avahi))
        yield {name: count.of(each) for name, each in found.items()}


def browsers(stack: ExitStack, desk: Host, expected: int, *, shared: bool = False) -> dict[str, Contender]:
    """Return ours, zeroconf's own and the raw socket, each in a process of its own.

    :param shared: others listen on port 5353, too: the raw socket would never get an answer there.
    """
    both = {"expected": expected, "limit_s": _LIMIT_S}
    start = {
        OURS: worker(desk, "bench.inside.lan:browse", **both),
        PLAIN: worker(desk, "bench.peers.zeroconf_plain:browse", **both),
        RAW: worker(desk, "bench.peers.raw_mdns:browse", own_port=shared, **both),
    }
    return {name: stack.enter_context(each) for name, each in start.items()}


@contextmanager
def _against_browse() -> Iterator[Mapping[str, Contender]]:
    with place(10) as here, by_zeroconf(100, here.boxes), ExitStack() as stack:
        other = here.lab.host("other-desk")
        here.lan.join(other)
        stack.enter_context(Avahi(other))
        ours = stack.enter_context(worker(here.desk, "bench.inside.lan:browse", expected=100))
        yield {OURS: ours, BROWSE: avahi_browse(other)}
