"""The lab's hosts: they reach each other as real ones do, and nothing of them stays behind."""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from . import netns
from .host import REPOSITORY, Host, python
from .net import Lab, LabError, lab_available
from .require import require

pytestmark = pytest.mark.netns

MDNS_PORT = 5353
MDNS_IPV4 = "224.0.0.251"
MDNS_IPV6 = "ff02::fb"


def reach(client: Host, server: Host, address: str, interface: int = 0) -> None:
    """Connect from one host to a fresh listener in another, and back out again."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with server.entered():
        listener = socket.create_server(("", 0), family=family)
    with client.entered():
        connection = socket.socket(family)
    port = listener.getsockname()[1]
    with listener, connection:
        connection.settimeout(2)
        connection.connect((address, port) if family == socket.AF_INET else (address, port, 0, interface))
        listener.settimeout(2)
        listener.accept()[0].close()


def test_hosts_reach_each_other_over_all_their_addresses(lab: Lab) -> None:
    a, b = lab.host("a"), lab.host("b")
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    from_a, to_b = lan.join(a), lan.join(b)
    assert (to_b.ipv4, to_b.ipv6) == ("10.77.0.2", "fd77::2")
    assert set(b.addresses) == {to_b.ipv4, to_b.ipv6, to_b.link_local}
    for address in b.addresses:
        reach(a, b, address, from_a.index if address == to_b.link_local else 0)


def test_a_host_may_have_one_family_or_only_link_local(lab: Lab) -> None:
    four, six, near = lab.host("four"), lab.host("six"), lab.host("near")
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    lan.join(four, ipv6=False)
    lan.join(six, ipv4=False)
    lan.join(near, ipv4=False, ipv6="link-local")
    assert four.addresses == ("10.77.0.1",)
    assert six.interfaces[0].ipv4 is None
    assert six.interfaces[0].ipv6 == "fd77::2"
    assert near.addresses == (near.interfaces[0].link_local,)
    reach(six, near, near.addresses[0], six.interfaces[0].index)


def test_lans_are_apart_and_a_host_may_be_on_two(lab: Lab) -> None:
    a, both, c = lab.host("a"), lab.host("both"), lab.host("c")
    first, second = lab.lan("10.77.0.0/24"), lab.lan("10.78.0.0/24")
    first.join(a, gateway=True)
    first.join(both)
    second.join(both)
    second.join(c)
    assert [each.name for each in both.interfaces] == ["eth0", "eth1"]
    reach(both, a, "10.77.0.1")
    reach(both, c, "10.78.0.2")
    with pytest.raises(OSError, match=os.strerror(errno.ENETUNREACH)):
        reach(c, a, "10.77.0.1")
    assert "default via 10.77.0.254 dev eth0" in a.run(["ip", "route"]).stdout


def test_multicast_floods_the_lan_in_both_families(lab: Lab) -> None:
    a, b = lab.host("a"), lab.host("b")
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    from_a, to_b = lan.join(a), lan.join(b)
    with b.entered():
        four, six = socket.socket(type=socket.SOCK_DGRAM), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with a.entered():
        send4, send6 = socket.socket(type=socket.SOCK_DGRAM), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with four, six, send4, send6:
        four.bind((MDNS_IPV4, MDNS_PORT))
        member4 = struct.pack("4s4si", socket.inet_aton(MDNS_IPV4), bytes(4), to_b.index)
        four.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member4)
        six.bind((MDNS_IPV6, MDNS_PORT, 0, to_b.index))
        member6 = struct.pack("16si", socket.inet_pton(socket.AF_INET6, MDNS_IPV6), to_b.index)
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member6)
        send4.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(str(from_a.ipv4)))
        send4.sendto(b"four", (MDNS_IPV4, MDNS_PORT))
        send6.sendto(b"six", (MDNS_IPV6, MDNS_PORT, 0, from_a.index))
        for receiver, expected in ((four, b"four"), (six, b"six")):
            receiver.settimeout(2)
            assert receiver.recv(100) == expected


def test_a_card_can_be_switched_off_and_its_cable_pulled(lab: Lab) -> None:
    a = lab.host("a")
    card = lab.lan("10.77.0.0/24", "fd77::/64").join(a)
    before = set(card.addresses)
    card.unplug()
    assert set(card.addresses) == before  # the addresses stay, the carrier is gone
    assert "NO-CARRIER" in a.run(["ip", "link", "show", "eth0"]).stdout
    card.plug()
    card.down()
    assert card.link_local is None
    card.up()
    assert set(card.addresses) == before
    card.add_address("10.77.0.99/24")
    assert "10.77.0.99" in card.addresses
    card.remove_address("10.77.0.99/24")
    assert set(card.addresses) == before


def test_a_host_has_a_name_a_machine_id_and_a_home_of_its_own(lab: Lab) -> None:
    def describe(host: Host) -> list[str]:
        show = "import os, socket; print(socket.gethostname(), os.environ['HOME'], os.environ.get('XDG_CONFIG_HOME'))"
        machine = host.run(["cat", "/etc/machine-id"], check=False).stdout
        return [*host.run(python("-c", show)).stdout.split(), machine]

    a, b = describe(lab.host("a")), describe(lab.host("b"))
    assert (a[0], b[0]) == ("a", "b")
    assert a[1] != b[1]
    assert a[2] == b[2] == "None"
    assert not a[3] or a[3] != b[3]
    assert socket.gethostname() not in ("a", "b")


def test_our_package_runs_inside_a_host(lab: Lab) -> None:
    a = lab.host("a")
    done = a.run(python("-c", "import hybridisco; print(hybridisco.__name__)"), env={"HYBRIDISCO_STATE": "x"})
    assert done.stdout == "hybridisco\n"
    with pytest.raises(LabError, match="ended with 3"):
        a.run(python("-c", "raise SystemExit(3)"))


def test_everything_is_gone_after_an_exception() -> None:
    require(lab_available())
    with pytest.raises(RuntimeError), Lab() as lab:
        names = [lab.host("a").namespace, lab.switch]
        process = lab.hosts[0].popen(["sleep", "60"])
        raise RuntimeError
    assert process.poll() == -signal.SIGKILL
    assert not lab.directory.exists()
    assert not any((netns.RUN_NETNS / name).exists() for name in names)


def test_the_next_lab_removes_what_a_killed_run_left() -> None:
    require(lab_available())
    code = (
        "import os, signal; from tests.lab.net import Lab; lab = Lab().__enter__(); host = lab.host('orphan');"
        "host.popen(['sleep', '60'], stdout=-3, stderr=-3);"
        "print(host.namespace, lab.directory, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, timeout=20)
    assert "orphan" in done.stdout, done.stderr
    namespace, directory = done.stdout.split()
    with Lab() as lab:
        assert not (netns.RUN_NETNS / namespace).exists()
        assert not Path(directory).exists()
        assert (netns.RUN_NETNS / lab.switch).exists()


def test_what_is_missing_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    require(None)
    with pytest.raises(pytest.skip.Exception, match="no ip"):
        require("no ip")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no ip"):
        require("no ip")


def test_a_lab_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert lab_available.__wrapped__() == "network namespaces need root"
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(Path(__file__).parent))
    assert "ip is not installed" in str(lab_available.__wrapped__())
