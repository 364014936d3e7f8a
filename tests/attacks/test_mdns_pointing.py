"""Somebody on the LAN wants the user's machine to connect to where it should not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.attacks.attacker import Attacker, announcement, attacker, counted
from tests.attacks.conftest import Scene
from tests.e2e import liar
from tests.e2e.app import Watch, listed
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab import netns

pytestmark = pytest.mark.netns

WITHIN_S = 10.0
MDNS = ("--source", "mdns")  # the probe looks at this machine's ports on its own account
ROUTER, METADATA = "10.77.0.254", "169.254.169.254"


@contextmanager
def counting(*ports: int, address: str = "127.0.0.1") -> Iterator[list[int]]:
    """Listen in the host that was entered; yields the ports that somebody has connected to."""
    met: list[int] = []
    listeners = [socket.create_server((address, port)) for port in ports]
    for listener in listeners:
        listener.settimeout(0.05)
    done = threading.Event()

    def accept() -> None:
        while not done.is_set():
            for port, listener in zip(ports, listeners, strict=True):
                try:
                    listener.accept()[0].close()
                    met.append(port)
                except TimeoutError:
                    continue

    thread = threading.Thread(target=accept, name="counting")
    thread.start()
    try:
        yield met
    finally:
        done.set()
        thread.join()
        for listener in listeners:
            listener.close()


def point(mallory: Attacker, *addresses: str, port: int = 80, label: bytes = b"lie", source: str | None = None) -> None:
    """Announce a ComfyUI at these addresses."""
    packet = announcement((label, *liar.TYPE), (label, b"local"), addresses, port=port)
    mallory.say(packet, source=source)


def all_heard(watch: Watch, mallory: Attacker, backends: Backends) -> None:
    """Packets are taken in order: when the last one shows, and was looked at, those before have had their effect."""
    backends(mallory.host, "comfyui", 8199)
    point(mallory, mallory.address, port=8199, label=b"last")
    watch.until(
        lambda now: any((one["name"], one["status"]) == ("last", "online") for one in now), WITHIN_S, "all was heard"
    )


@pytest.fixture
def mallory(studio: Studio) -> Iterator[Attacker]:
    host = studio.lab.host("mallory")
    studio.lan.join(host)
    with attacker(host) as made:
        yield made


def router(studio: Studio) -> None:
    """Put a router on the LAN. Its page for its owner answers to whoever asks."""
    host = studio.lab.host("router")
    card = studio.lan.join(host)
    card.add_address(f"{ROUTER}/24")


def route(studio: Studio) -> None:
    """Tell the desk of the router, as DHCP does."""
    netns.ip("route", "replace", "default", "via", ROUTER, "dev", "eth0", namespace=studio.desk.namespace)


@pytest.mark.parametrize("late", [False, True], ids=["known from the start", "learned later"])
def test_the_routers_admin_page(studio: Studio, backends: Backends, mallory: Attacker, late: bool) -> None:
    """He announces a service at the router's address. Nothing is requested there, and the user sees nothing."""
    router(studio)
    page = backends(studio.lab.hosts[-1], "web", 80)
    if not late:
        route(studio)
    watch = Watch(studio.desk, *MDNS)
    mallory.await_question()
    all_heard(watch, mallory, backends)
    if late:
        route(studio)
        studio.desk.interfaces[0].add_address("10.78.0.9/24")  # any change makes it read its network anew
        backends(mallory.host, "comfyui", 8200)
        mallory.host.interfaces[0].add_address("10.78.0.8/24")
        point(mallory, "10.78.0.8", port=8200, label=b"later")
        watch.until(lambda now: len(now) == 2, WITHIN_S, "the change was noticed")
    point(mallory, ROUTER)
    point(mallory, ROUTER, mallory.address, port=80, label=b"both")
    backends(mallory.host, "comfyui", 80)
    watch.until(lambda now: any(one["name"] == "both" for one in now), WITHIN_S, "all was heard")
    assert page.mock.requests == []
    assert ROUTER not in str(watch.events)


def test_a_route_that_comes_after_the_address(studio: Studio, backends: Backends, mallory: Attacker) -> None:
    """As above; the desk learns of the router a moment after it has started, and nothing else changes then."""
    router(studio)
    page = backends(studio.lab.hosts[-1], "web", 80)
    watch = Watch(studio.desk, *MDNS)
    mallory.await_question()
    all_heard(watch, mallory, backends)
    route(studio)
    end = time.monotonic() + 3.0  # it looks at its network every two seconds
    watch.until(lambda _: time.monotonic() > end, 5.0, "time has passed")
    point(mallory, ROUTER)
    backends(mallory.host, "comfyui", 8200)
    point(mallory, mallory.address, port=8200, label=b"after")
    watch.until(
        lambda now: any((one["name"], one["status"]) == ("after", "online") for one in now), WITHIN_S, "all was heard"
    )
    assert page.mock.requests == []


def test_the_metadata_address_of_a_cloud(studio: Studio, backends: Backends, mallory: Attacker) -> None:
    """He announces a service at 169.254.169.254, which the desk can reach. Nothing is requested there."""
    cloud = studio.lab.host("cloud")
    studio.lan.join(cloud).add_address(f"{METADATA}/16")
    studio.desk.interfaces[0].add_address("169.254.1.1/16")
    metadata = backends(cloud, "web", 80)
    watch = Watch(studio.desk, *MDNS)
    mallory.await_question()
    for label, addresses in {b"plain": [METADATA], b"mapped": [f"::ffff:{METADATA}"]}.items():
        point(mallory, *addresses, label=label)
    all_heard(watch, mallory, backends)
    assert metadata.mock.requests == []
    assert {one["name"] for one in watch.services} == {"last"}


def test_localhost(studio: Studio, backends: Backends, mallory: Attacker) -> None:
    """He announces services at the user's own machine, by all its names. Nothing is requested there."""
    with studio.desk.entered(), counting(80, 631, 11434) as met:
        watch = Watch(studio.desk, *MDNS)
        mallory.await_question()
        for number, address in enumerate(("127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1")):
            for port in (80, 631, 11434):
                point(mallory, address, port=port, label=b"home-%d-%d" % (number, port))
        all_heard(watch, mallory, backends)
        assert met == []
    assert {one["name"] for one in watch.services} == {"last"}


def test_a_service_with_255_addresses(scene: Scene, backends: Backends) -> None:
    """He announces one service at every address of the LAN, so that everybody's machine scans it for him.

    The user sees a service with few addresses, and the victim as it was.
    """
    every = [f"10.77.0.{number}" for number in range(100, 255)] + [f"10.77.0.{number}" for number in range(100)]
    target = (b"all", b"local")
    packet = announcement((b"everywhere", *liar.TYPE), target, every[:254], port=8190)
    scene.mallory.say(packet)
    backends(scene.mallory.host, "comfyui", 8199)
    point(scene.mallory, scene.mallory.address, port=8199, label=b"last")
    shown = scene.watch.until(lambda now: {"last", "everywhere"} <= {one["name"] for one in now}, WITHIN_S, "was heard")
    (one,) = [one for one in shown if one["name"] == "everywhere"]
    assert len(one["endpoints"]) <= 8
    scene.watch.until(scene.fine, WITHIN_S, "the victim is as it was")
    scene.check_history()


# -- packets that are none of a neighbour's -----------------------------------------------------------------


@pytest.mark.parametrize("port", [5354, 1024, 53])
def test_packets_from_another_port(studio: Studio, backends: Backends, mallory: Attacker, port: int) -> None:
    """He sends announcements from a port that any program may use. They are ignored, and the user is told of it."""
    backends(mallory.host, "comfyui", 8188)
    packet = announcement((b"lie", *liar.TYPE), (b"lie", b"local"), [mallory.address])
    with mallory.going_on(packet, every_s=0.02, port=port):
        document = listed(studio.desk, *MDNS, "--all")
    assert document["services"] == []
    assert counted(document["sources"]["mdns"]["detail"], "not from port 5353") > 0


def test_packets_from_another_network(studio: Studio, backends: Backends) -> None:
    """He sits behind a router, and sends announcements to the desk alone. They are ignored, and the user is told."""
    lab = studio.lab
    elsewhere, between, outside = lab.lan("10.99.0.0/24"), lab.host("between"), lab.host("outside")
    studio.lan.join(between)
    elsewhere.join(between)
    elsewhere.join(outside)
    netns.set_sysctls(between.namespace, {"ipv4/ip_forward": 1})
    near, far = between.interfaces[0].ipv4, between.interfaces[1].ipv4
    netns.ip("route", "add", "10.77.0.0/24", "via", str(far), namespace=outside.namespace)
    netns.ip("route", "add", "10.99.0.0/24", "via", str(near), namespace=studio.desk.namespace)
    backend = backends(studio.gpu_box, "comfyui", 8188)
    with attacker(outside) as mallory:
        packet = announcement((b"lie", *liar.TYPE), (b"lie", b"local"), ["10.77.0.1"])
        with mallory.going_on(packet, every_s=0.02, to="10.77.0.2"):
            document = listed(studio.desk, *MDNS, "--all")
    assert document["services"] == []
    assert counted(document["sources"]["mdns"]["detail"], "from another network") > 0
    assert backend.mock.requests == []
