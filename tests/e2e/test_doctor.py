"""The doctor in a lab of hosts that are wrong in many ways: it names the right cause first in each."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.app import START_LIMIT_S, announced, command
from tests.e2e.backends import LOOPBACK, Backends
from tests.e2e.conftest import Studio
from tests.lab import netns
from tests.lab.avahi import Avahi, StaticService
from tests.lab.net import Host, Lab, python
from tests.lab.require import require

pytestmark = pytest.mark.netns

LISTEN_S = "1"
BOX = "10.77.0.1"
ONLY_MULTICAST = ("ip daddr 224.0.0.251", "ip6 daddr ff02::fb")
Json = dict[str, Any]


def doctor(host: Host, *arguments: str, env: Mapping[str, str] | None = None) -> Json:
    """What the doctor says in ``host``, with its exit status."""
    done = host.run(command("doctor", "--json", "--timeout", LISTEN_S, *arguments), env=env, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    report = dict(json.loads(done.stdout))
    wrong = any(check["result"] == "problem" for check in report["checks"])
    assert done.returncode == wrong
    return report


def causes(report: Json) -> list[str]:
    """The causes that it names, in its order."""
    return [cause["id"] for cause in report["causes"]]


def check(report: Json, name: str) -> Json:
    """One check of the report."""
    return next(one for one in report["checks"] if one["id"] == name)


def drop(host: Host, hook: str, *matches: str) -> None:
    """Let a host's firewall drop what one of ``matches`` describes."""
    lines = [f"type filter hook {hook} priority 0", *(f"{match} drop" for match in matches)]
    text = f"table inet lab {{\n chain {hook} {{\n{chr(10).join(lines)}\n }}\n}}\n"
    host.run(["nft", "-f", "-"], input=text)


def echoing(host: Host) -> None:
    """Start what answers the doctor's question as a sidecar does."""
    host.start(python("-m", "tests.doctor.echo", host.name)).wait_for_log("ready", START_LIMIT_S)


@pytest.fixture(autouse=True)
def tools() -> None:
    """The firewalls that are set up."""
    missing = [name for name in ("nft", "iptables-restore") if shutil.which(name) is None]
    require(f"not installed: {', '.join(missing)} (Debian: nftables, iptables)" if missing else None)


# -- with a sidecar on the other host ---------------------------------------------------------------------------------


def all_well(studio: Studio) -> None:
    """Nothing is wrong."""


def here_in(studio: Studio) -> None:
    drop(studio.desk, "input", *ONLY_MULTICAST)


def here_out(studio: Studio) -> None:
    drop(studio.desk, "output", *ONLY_MULTICAST)


def here_port(studio: Studio) -> None:
    drop(studio.desk, "input", "udp dport 5353")


def here_policy(studio: Studio) -> None:
    text = (
        "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n"
        "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n"
    )
    studio.desk.run(["iptables-restore"], input=text)


def there_in(studio: Studio) -> None:
    drop(studio.gpu_box, "input", *ONLY_MULTICAST)


def there_out(studio: Studio) -> None:
    drop(studio.gpu_box, "output", *ONLY_MULTICAST)


def between(studio: Studio) -> None:
    text = (
        "table bridge lab {\n    chain forward {\n        type filter hook forward priority 0\n"
        "        ip daddr 224.0.0.251 drop\n        ip6 daddr ff02::fb drop\n    }\n}\n"
    )
    with netns.entered(studio.lab.switch):
        netns._run(["nft", "-f", "-"], text)


def there_port(studio: Studio) -> None:
    drop(studio.gpu_box, "input", "udp dport 5353")


WITH_SIDECAR: dict[str, tuple[Callable[[Studio], None], list[str]]] = {
    "all is well": (all_well, []),
    "nft here drops multicast that comes in": (here_in, ["firewall-here"]),
    "nft here drops multicast that goes out": (here_out, ["firewall-here"]),
    "nft here drops UDP 5353": (here_port, ["firewall-here"]),
    "iptables here drops by policy": (here_policy, ["firewall-here"]),
    "nft there drops multicast that comes in": (there_in, ["multicast-does-not-reach-it"]),
    "nft there drops multicast that goes out": (there_out, ["multicast-does-not-come-in"]),
    "the switch drops multicast": (between, ["multicast-blocked-between"]),
    "nft there drops UDP 5353": (there_port, ["firewall-there"]),
}


@pytest.mark.parametrize("set_up", WITH_SIDECAR)
def test_two_sided(studio: Studio, set_up: str) -> None:
    break_it, expected = WITH_SIDECAR[set_up]
    echoing(studio.gpu_box)
    break_it(studio)
    report = doctor(studio.desk, "--host", BOX, "--host", "fd77::1")
    assert causes(report) == expected, json.dumps(report, indent=1)
    if " here " in set_up:
        evidence = " ".join(report["causes"][0]["evidence"])
        assert "drops" in evidence
        assert "5353" in evidence or "224.0.0.251" in evidence or "policy drop" in evidence


# -- without -----------------------------------------------------------------------------------------------------------


def test_a_host_that_is_off(studio: Studio) -> None:
    studio.gpu_box.interfaces[0].down()
    report = doctor(studio.desk, "--host", BOX)
    assert causes(report) == ["host-off"]
    assert "ARP" in " ".join(check(report, f"host:{BOX}")["evidence"])


def test_a_host_without_a_sidecar(studio: Studio) -> None:
    assert causes(doctor(studio.desk, "--host", BOX)) == ["no-sidecar"]


def test_an_avahi_is_no_sidecar(studio: Studio) -> None:
    with Avahi(studio.gpu_box, dbus=False):
        report = doctor(studio.desk, "--host", BOX)
    assert causes(report) == ["no-sidecar"]
    assert "mDNS responder answers" in " ".join(check(report, f"host:{BOX}")["evidence"])


def test_a_sidecar_beside_an_avahi(studio: Studio) -> None:
    """A unicast question reaches only one of the two, which need not be the sidecar."""
    with Avahi(studio.gpu_box, dbus=False):
        echoing(studio.gpu_box)
        assert causes(doctor(studio.desk, "--host", BOX)) == []


def test_an_avahi_and_a_sidecar_here_take_no_answer_away(studio: Studio) -> None:
    echoing(studio.gpu_box)
    with Avahi(studio.desk, dbus=False):
        echoing(studio.desk)
        report = doctor(studio.desk, "--host", BOX)
    assert causes(report) == []
    assert "avahi-daemon" in " ".join(check(report, "port")["evidence"])
    (answered,) = [line for line in check(report, f"host:{BOX}")["evidence"] if "asked by" in line]
    assert answered.count("answered by multicast and unicast") == 2


def test_a_host_that_drops_everything(studio: Studio) -> None:
    drop(studio.gpu_box, "input", "iifname eth0")
    assert causes(doctor(studio.desk, "--host", BOX)) == ["firewall-there"]


def test_a_host_in_another_network(lab: Lab) -> None:
    desk = lab.host("desk")
    lab.lan("10.77.0.0/24", "fd77::/64").join(desk, gateway=True)
    assert causes(doctor(desk, "--host", "10.99.0.1"))[0] == "other-network"


def test_ipv6_off_and_the_host_has_nothing_else(lab: Lab) -> None:
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    box, desk = lab.host("gpu-box"), lab.host("desk")
    lan.join(box, ipv4=False)
    lan.join(desk, ipv6=False)
    assert causes(doctor(desk, "--host", "fd77::1")) == ["no-common-family"]


def test_ipv6_off(lab: Lab) -> None:
    desk = lab.host("desk")
    lab.lan("10.77.0.0/24", "fd77::/64").join(desk, ipv6=False)
    report = doctor(desk)
    assert causes(report) == ["no-ipv6"]
    assert "eth0: IPv6 is switched off" in check(report, "ipv6")["evidence"]


def test_no_network(lab: Lab) -> None:
    report = doctor(lab.host("desk"), "--host", BOX)
    assert causes(report) == ["no-network"]


def test_a_cable_that_is_down_and_a_switch_of_containers(lab: Lab) -> None:
    desk = lab.host("desk")
    card = lab.lan("10.77.0.0/24").join(desk)
    _card(desk, "docker0", "172.17.0.1/16")
    card.down()
    report = doctor(desk)
    assert causes(report) == ["no-network"]
    evidence = check(report, "interfaces")["evidence"]
    assert any(line.startswith("eth0") and line.endswith("it is down") for line in evidence)
    assert any(line.startswith("docker0") and "containers" in line for line in evidence)


def test_a_switch_of_containers_beside_the_lan_is_skipped(studio: Studio) -> None:
    echoing(studio.gpu_box)
    _card(studio.desk, "docker0", "172.17.0.1/16")
    report = doctor(studio.desk, "--host", BOX)
    assert causes(report) == []
    assert any("docker0" in line and "skipped" in line for line in check(report, "interfaces")["evidence"])


def test_no_interface_can_multicast(lab: Lab) -> None:
    desk = lab.host("desk")
    lab.lan("10.77.0.0/24", "fd77::/64").join(desk)
    netns.ip("link", "set", "eth0", "multicast", "off", namespace=desk.namespace)
    assert causes(doctor(desk)) == ["no-multicast-interface"]


def test_inside_a_container(lab: Lab) -> None:
    desk = lab.host("desk")
    lab.lan("172.17.0.0/16").join(desk, ipv6=False, gateway=True)
    assert causes(doctor(desk))[0] == "container-network"


def test_a_vpn_has_the_default_route(studio: Studio) -> None:
    _card(studio.desk, "wg0", "10.8.0.2/24")
    netns.ip("route", "add", "default", "dev", "wg0", namespace=studio.desk.namespace)
    report = doctor(studio.desk)
    assert causes(report) == ["default-route-through-tunnel"]
    assert "wg0" in " ".join(report["causes"][0]["evidence"])


def test_a_vpn_is_the_only_network(lab: Lab) -> None:
    desk = lab.host("desk")
    _card(desk, "tun0", "10.8.0.2/24")
    netns.ip("route", "add", "default", "dev", "tun0", namespace=desk.namespace)
    assert causes(doctor(desk))[0] == "only-tunnel"


@pytest.fixture
def selfish(studio: Studio) -> Iterator[socket.socket]:
    """A program that has port 5353 for itself: this one."""
    with studio.desk.entered():
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)  # both families
    with closing(sock):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("", 5353))
        yield sock


def test_port_5353_is_held(studio: Studio, selfish: socket.socket) -> None:
    echoing(studio.gpu_box)
    report = doctor(studio.desk, "--host", BOX)
    assert causes(report) == ["mdns-port-held"]
    assert "python" in " ".join(check(report, "port")["evidence"]), "who has it is named"
    assert check(report, f"host:{BOX}")["result"] == "unknown"


def test_a_backend_listens_for_its_own_machine_only(studio: Studio, backends: Backends) -> None:
    backends(studio.desk, "comfyui", 8188, LOOPBACK)
    backends(studio.desk, "wan2gp", 7860)
    report = doctor(studio.desk)
    assert causes(report) == ["loopback-only"]
    assert report["causes"][0]["about"] == ["ComfyUI"]
    assert "--listen 0.0.0.0" in report["causes"][0]["fix"]


def test_wrong_settings(studio: Studio) -> None:
    file = studio.desk.directory / "wrong.toml"
    file.write_text("[discovery]\ntimeout_s = 5\nnonsense = 1\n", encoding="utf-8")
    report = doctor(studio.desk, env={"HYBRIDISCO_CONFIG": str(file)})
    assert causes(report) == ["settings-wrong"]
    assert "line 3" in report["causes"][0]["evidence"][0]


def test_settings_that_name_an_interface_that_is_not_there(studio: Studio) -> None:
    file = studio.desk.directory / "doubtful.toml"
    file.write_text('[mdns]\ninterfaces = ["eth0", "eth7"]\n', encoding="utf-8")
    report = doctor(studio.desk, env={"HYBRIDISCO_CONFIG": str(file)})
    assert causes(report) == ["interfaces-not-there"]
    assert "eth7" in report["causes"][0]["evidence"][0]


COMFYUI = StaticService("ComfyUI on gpu-box", "_hybridisco._tcp", 8188, txt=["txtvers=1", "kind=comfyui"])


def test_an_announced_service_whose_port_is_dropped(studio: Studio, backends: Backends) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    with Avahi(studio.gpu_box, [COMFYUI], dbus=False):
        drop(studio.gpu_box, "input", "tcp dport 8188")
        report = doctor(studio.desk)
    assert causes(report) == ["service-port-blocked"]
    assert "8188" in report["causes"][0]["title"]


def test_an_announced_service_that_does_not_run(studio: Studio) -> None:
    with Avahi(studio.gpu_box, [COMFYUI], dbus=False):
        report = doctor(studio.desk)
    assert causes(report) == ["service-not-running"]
    assert "main.py" in report["causes"][0]["fix"]


@pytest.mark.parametrize("address", [BOX, "fd77::1"])
def test_with_a_real_sidecar(studio: Studio, backends: Backends, address: str) -> None:
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188)
    report = doctor(studio.desk, "--host", address)
    assert causes(report) == []
    assert check(report, "services")["evidence"] == ["1 service found that answers"]
    (answered,) = [line for line in check(report, f"host:{address}")["evidence"] if "asked by" in line]
    assert answered.count("answered by multicast and unicast") == 2


def _card(host: Host, name: str, address: str) -> None:
    """Give a host a card that leads to nobody."""
    peer = f"{name}-{host.name}"
    cable = f"link add {peer} type veth peer name {name} netns {host.namespace}"
    netns.ip_batch(host.lab.switch, cable, f"link set {peer} up")
    netns.ip_batch(host.namespace, f"link set {name} up", f"addr add {address} dev {name}")
