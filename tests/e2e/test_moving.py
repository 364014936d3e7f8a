"""A network that changes under a sidecar: interfaces come and go, addresses change, two machines claim one name."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from tests.e2e import liar
from tests.e2e.app import START_LIMIT_S, Watch, announced
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.e2e.test_box import box
from tests.lab.avahi import Avahi, StaticService, avahi_available
from tests.lab.net import Lab
from tests.lab.require import require
from tests.lab.wait import wait_until

pytestmark = pytest.mark.netns

SOON_S = 3.0  # from the change to the right announcement
SEEN_S = 1.5  # for a watcher to have heard it, and to have looked


def addresses(now: list[dict[str, Any]]) -> set[str]:
    return {end["address"] for one in now for end in one["endpoints"]}


def test_a_new_address_takes_the_place_of_the_old_one(studio: Studio, backends: Backends) -> None:
    """The router hands out another one (DHCP)."""
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    announced(studio.gpu_box, "comfyui", 8188)
    (before,) = watch.until_online()
    (card,) = studio.gpu_box.interfaces
    card.remove_address("10.77.0.1/24")
    card.add_address("10.77.0.99/24")
    (after,) = watch.until(
        lambda now: "10.77.0.99" in addresses(now) and "10.77.0.1" not in addresses(now), SOON_S + SEEN_S, "it moved"
    )
    assert after["id"] == before["id"]
    watch.until_online()
    assert "removed" not in [event for event, _ in watch.events], "it never went away"


def test_an_interface_that_comes_later_is_used(lab: Lab, backends: Backends) -> None:
    first, second = lab.lan("10.77.0.0/24"), lab.lan("10.78.0.0/24", "fd78::/64")
    gpu_box, desk = lab.host("gpu-box"), lab.host("desk")
    first.join(gpu_box)
    second.join(desk)
    backends(gpu_box, "comfyui", 8188)
    sidecar = announced(gpu_box, "comfyui", 8188)
    watch = Watch(desk)
    second.join(gpu_box)
    (seen,) = watch.until_online(limit_s=SOON_S + SEEN_S + 1.0)
    assert {"10.78.0.2", "fd78::2"} <= addresses([seen])
    assert "10.77.0.1" not in addresses([seen]), "what leads nowhere from there is not told there"
    assert "Withdrawn" not in sidecar.log


@pytest.mark.timeout(90)
@pytest.mark.parametrize("how", ["cable", "interface"])
def test_a_link_that_was_down_for_twenty_seconds(studio: Studio, backends: Backends, how: str) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    sidecar = announced(studio.gpu_box, "comfyui", 8188)
    (before,) = watch.until_online()
    (card,) = studio.gpu_box.interfaces
    if how == "cable":
        card.unplug()
    else:
        card.down()
    gone_at = time.monotonic()
    watch.until_gone(16.0)
    # Nothing happens now until twenty seconds have passed; that is the point.
    wait_until(lambda: time.monotonic() - gone_at >= 20.0, 21.0, "twenty seconds have passed")
    if how == "cable":
        card.plug()
    else:
        card.up()
    (after,) = watch.until_online(limit_s=SOON_S + 2.0)
    assert after["id"] == before["id"] and after["name"] == before["name"]
    assert "Traceback" not in sidecar.log


def test_an_interface_that_flaps_makes_no_storm(studio: Studio, backends: Backends) -> None:
    for port in (8188, 8189, 8190, 8191, 8192):
        backends(studio.gpu_box, "comfyui", port)
    sidecar = box(studio.gpu_box)
    sidecar.wait_for_log("Announced: ", START_LIMIT_S, count=5)
    (card,) = studio.gpu_box.interfaces
    with studio.desk.entered(), liar.open_socket("10.77.0.2") as sock:
        began = time.monotonic()
        for number in range(20):
            card.add_address(f"10.77.0.{100 + number}/24")
            card.remove_address(f"10.77.0.{100 + number}/24")
        took_s = time.monotonic() - began
        sock.settimeout(4.0)
        packets = 0
        try:
            while True:
                packets += sock.recv(9000)[2] & 0x80 != 0
        except TimeoutError:
            pass
    # Five backends with their subtypes, twice for each repetition, and those at most every two seconds.
    assert packets <= 10 * 3 * (took_s / 2.0 + 3), f"{packets} packets in {took_s:.1f} s"


def test_two_machines_that_meet_under_one_name(lab: Lab, backends: Backends) -> None:
    """Both were announced while nothing came through between them: neither could know (RFC 6762 section 9)."""
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    one, other, desk = lab.host("one"), lab.host("other"), lab.host("desk")
    for host in (one, other, desk):
        lan.join(host)
    for hook in ("input", "output"):
        chain = f"add chain inet f {hook} {{ type filter hook {hook} priority 0; }}"
        other.run(["nft", f"add table inet f; {chain}; add rule inet f {hook} udp dport 5353 drop"])
    for host in (one, other):
        backends(host, "comfyui", 8188)
        announced(host, "comfyui", 8188, "--name", "Pictures")
    other.run(["nft", "flush ruleset"])
    watch = Watch(desk)
    seen = watch.until(
        lambda now: (
            sorted(one["name"] for one in now) == ["Pictures", "Pictures-2"]
            and all(one["status"] == "online" for one in now)
        ),
        START_LIMIT_S,
        "each has a name of its own",
    )
    assert len({one["id"] for one in seen}) == 2
    assert len({one["endpoints"][0]["address"] for one in seen}) == 2


def test_two_sidecars_and_an_avahi_on_one_host(studio: Studio, backends: Backends) -> None:
    require(avahi_available())
    for kind, port in (("comfyui", 8188), ("wan2gp", 7860), ("litellm", 4000)):
        backends(studio.gpu_box, kind, port)
    static = StaticService("LiteLLM of Avahi", "_hybridisco._tcp", 4000, txt=["txtvers=1", "kind=litellm"])
    with Avahi(studio.gpu_box, [static]):
        for kind, port in (("comfyui", 8188), ("wan2gp", 7860)):
            announced(studio.gpu_box, kind, port)
        watch = Watch(studio.desk)
        seen = watch.until_online(3)
    assert Counter(one["kind"] for one in seen) == {"comfyui": 1, "wan2gp": 1, "litellm": 1}


def test_a_host_with_twenty_interfaces(lab: Lab, backends: Backends) -> None:
    gpu_box, desk = lab.host("gpu-box"), lab.host("desk")
    for number in range(20):
        lan = lab.lan(f"10.{80 + number}.0.0/24", f"fd{80 + number}::/64")
        lan.join(gpu_box)
    lan.join(desk)  # the last one
    backends(gpu_box, "comfyui", 8188)
    watch = Watch(desk)
    announced(gpu_box, "comfyui", 8188)
    (seen,) = watch.until_online()
    assert (
        {"10.99.0.1", "fd99::1"}
        <= addresses([seen])
        <= {"10.99.0.1", "fd99::1"} | {end["address"] for end in seen["endpoints"] if end["address"].startswith("fe80")}
    )


def test_a_bridge_of_containers_and_an_address_for_privacy_are_not_told(studio: Studio, backends: Backends) -> None:
    studio.gpu_box.run(["ip", "link", "add", "docker0", "type", "bridge"])
    studio.gpu_box.run(["ip", "addr", "add", "172.17.0.1/16", "dev", "docker0"])
    studio.gpu_box.run(["ip", "link", "set", "docker0", "up"])
    # The kernel makes temporary addresses for prefixes that a router announces; one with this flag is the same.
    studio.gpu_box.run(
        [
            "sh",
            "-c",
            "echo 2 > /proc/sys/net/ipv6/conf/eth0/use_tempaddr; ip addr add fd77::dead/64 dev eth0 mngtmpaddr nodad",
        ],
    )
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188)
    watch = Watch(studio.desk)
    (seen,) = watch.until_online()
    temporary = {
        line.split()[1].split("/")[0]
        for line in studio.gpu_box.run(["ip", "-o", "-6", "addr", "show", "temporary"]).stdout.splitlines()
        for line in [line.split("inet6 ")[0] + " " + line.split("inet6 ")[1]]
    }
    assert temporary and not temporary & addresses([seen])
    assert "172.17.0.1" not in addresses([seen]) and "fd77::dead" in addresses([seen])
