"""Several hosts on several networks: each backend is found once, at every address that leads to it."""

from __future__ import annotations

import socket
from typing import Any, Literal

import pytest

from tests.e2e.app import START_LIMIT_S, Json, Watch, announce, announced, command, listed
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab.net import Host, Lab

pytestmark = pytest.mark.netns


def addresses(service: Json) -> set[str]:
    """Every address of a service, however it stands."""
    return {end["address"] for end in service["endpoints"]}


def reachable(service: Json) -> set[str]:
    """The addresses of a service that answered."""
    return {end["address"] for end in service["endpoints"] if end["reachable"]}


@pytest.mark.parametrize(
    ("ipv4", "ipv6"),
    [(True, False), (False, True), (False, "link-local"), (True, True)],
    ids=["ipv4 only", "ipv6 only", "link-local only", "both"],
)
def test_three_hosts_find_each_other(
    lab: Lab, backends: Backends, ipv4: bool, ipv6: bool | Literal["link-local"]
) -> None:
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    one, two, desk = lab.host("one"), lab.host("two"), lab.host("desk")
    for host in (one, two, desk):
        lan.join(host, ipv4=ipv4, ipv6=ipv6)
    listen: Any = "0.0.0.0" if not ipv6 else "::" if not ipv4 else ("0.0.0.0", "::")
    mocks = [backends(one, "comfyui", 8188, listen).mock, backends(two, "wan2gp", 7860, listen).mock]
    watch = Watch(desk)
    announce(one, "comfyui", 8188)
    announce(two, "wan2gp", 7860)
    watch.until_online(2)
    document = listed(desk)
    assert document["complete"]
    assert document["elapsed_s"] < 5
    found = {service["kind"]: service for service in document["services"]}
    assert set(found) == {"comfyui", "wan2gp"}
    for kind, host in (("comfyui", one), ("wan2gp", two)):
        service = found[kind]
        assert (service["status"], service["verified"], service["sources"]) == ("online", True, ["mdns", "probe"])
        assert service["host"] == f"{host.name}.local"
        assert addresses(service) == set(host.addresses)
        if ipv6 == "link-local":
            assert service["url"] == f"http://[{host.addresses[0]}%25eth0]:{service['endpoints'][0]['port']}"
    assert [service["kind"] for service in listed(two)["services"]] == ["comfyui", "wan2gp"]
    assert not [r.host for mock in mocks for r in mock.requests if "%" in r.host], "a zone means nothing to others"


def test_a_client_and_a_host_that_share_two_networks_see_one_service(lab: Lab, backends: Backends) -> None:
    first, second = lab.lan("10.77.0.0/24", "fd77::/64"), lab.lan("10.78.0.0/24", "fd78::/64")
    both, desk, wing = lab.host("both"), lab.host("desk"), lab.host("wing")
    for lan in (first, second):
        lan.join(both)
        lan.join(desk)
    second.join(wing)
    backends(both, "comfyui", 8188)
    at_desk, at_wing = Watch(desk), Watch(wing)
    announced(both, "comfyui", 8188)
    at_desk.until(
        lambda now: len(now) == 1 and addresses(now[0]) == set(both.addresses), 15, "one service, at every address"
    )
    (seen,) = at_desk.until(
        lambda now: len(now) == 1 and reachable(now[0]) == set(both.addresses), 15, "each address answers"
    )
    assert {end["interface"] for end in seen["endpoints"]} == {"eth0", "eth1"}
    (there,) = at_wing.until_online()
    assert there["id"] == seen["id"]
    assert addresses(there) == set(both.interfaces[1].addresses)
    (once,) = listed(desk)["services"]
    assert (once["id"], once["status"]) == (seen["id"], "online")


def test_a_service_of_this_machine_is_one_entry_with_both_sources(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "audioldm", 7863)
    unannounced = listed(studio.gpu_box)["services"]
    assert [(one["id"], one["sources"]) for one in unannounced] == [("audioldm@localhost:7863", ["probe"])]
    watch = Watch(studio.gpu_box)
    watch.until_online()
    announced(studio.gpu_box, "audioldm", 7863)
    (seen,) = watch.until(lambda now: len(now) == 1 and "mdns" in now[0]["sources"], 10, "it is the announced one")
    assert seen["sources"] == ["mdns", "probe"]
    assert seen["url"] == "http://127.0.0.1:7863"
    assert {"127.0.0.1", *studio.gpu_box.addresses} <= addresses(seen)
    assert len(seen["id"]) == 26


def test_where_another_program_has_the_mdns_port_the_rest_is_found(studio: Studio, backends: Backends) -> None:
    backends(studio.desk, "comfyui", 8188)
    with studio.desk.entered():
        selfish = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with selfish:
        selfish.bind(("", 5353))
        document = listed(studio.desk)
        sidecar = announce(studio.desk, "comfyui", 8188)
        assert sidecar.popen.wait(START_LIMIT_S) == 3
    assert document["sources"]["mdns"]["state"] == "error"
    assert "5353" in document["sources"]["mdns"]["detail"]
    assert [(one["kind"], one["sources"]) for one in document["services"]] == [("comfyui", ["probe"])]
    assert "5353" in sidecar.log
    assert "Traceback" not in sidecar.log


def test_machines_of_one_name_are_two_machines(studio: Studio, backends: Backends) -> None:
    """Two fresh installations are both called ``ubuntu``, and both run ComfyUI."""
    other = studio.lab.host("other")
    studio.lan.join(other)
    watch = Watch(studio.desk)
    for host in (studio.gpu_box, other):
        backends(host, "comfyui", 8188)
        _announced_as(host, "ubuntu")
    seen = watch.until_online(2)
    assert {one["host"] for one in seen} == {"ubuntu.local"}
    assert len({one["name"] for one in seen}) == 2
    ipv4 = [{address for address in addresses(one) if ":" not in address} for one in seen]
    assert sorted(ipv4, key=sorted) == [{"10.77.0.1"}, {"10.77.0.3"}]


def _announced_as(host: Host, name: str) -> None:
    """Announce ComfyUI from a host that has another name."""
    rename = 'echo "$0" > /proc/sys/kernel/hostname; exec "$@"'
    sidecar = host.start(["sh", "-c", rename, name, *command("announce", "comfyui", "--port", "8188")])
    sidecar.wait_for_log("Announced: ", START_LIMIT_S)
