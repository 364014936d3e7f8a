"""The private Avahi: what one host announces, another browses."""

from __future__ import annotations

import pytest

from .avahi import Avahi, Record, StaticService, avahi_available, parse_browse
from .net import Lab
from .require import require
from .wait import wait_until

TYPE = "_hybridisco._tcp"
SUBTYPE = "_comfyui._sub._hybridisco._tcp"
TXT = ("txtvers=1", 'note=a "b" \\ c;d ö')


def names(avahi: Avahi, service_type: str) -> set[str]:
    return {record.name for record in avahi.browse(service_type, resolve=False)}


@pytest.mark.netns
@pytest.mark.peers
def test_what_one_host_announces_another_browses(lab: Lab) -> None:
    require(avahi_available())
    a, b = lab.host("a"), lab.host("b")
    lan = lab.lan("10.77.0.0/24", "fd77::/64")
    lan.join(a)
    lan.join(b)
    service = StaticService("ComfyUI; <1> on %h", TYPE, 8188, subtypes=(SUBTYPE,), txt=TXT)
    with Avahi(a, [service], dbus=False) as announcer, Avahi(b) as avahi:
        found = {record.address: record for record in avahi.browse(TYPE)}
        assert set(found) == {"10.77.0.1", "fd77::1"}
        seen = found["10.77.0.1"]
        assert (seen.name, seen.host, seen.port) == ("ComfyUI; <1> on a", "a.local", 8188)
        assert (seen.interface, seen.protocol) == ("eth0", "IPv4")
        assert sorted(seen.txt) == sorted(TXT)

        announcer.add(StaticService("second", TYPE, 7860))
        with avahi.publish("third", TYPE, 7865, ["txtvers=1"], [SUBTYPE]):
            assert names(avahi, SUBTYPE) == {"ComfyUI; <1> on a", "third"}

        announcer.remove("second")
        wait_until(lambda: names(avahi, TYPE) == {"ComfyUI; <1> on a"}, 10, "a removed file says goodbye")


def test_avahi_browse_is_read_with_its_escapes() -> None:
    line = '=;eth0;IPv6;a\\032b\\059\\195\\182\\.;_x._tcp;local;h.local;fe80::1;80;"k=a \\"b\\"" "two"'
    expected = Record("eth0", "IPv6", "a b;ö.", "_x._tcp", "local", "h.local", "fe80::1", 80, ('k=a "b"', "two"))
    assert parse_browse(f"+;eth0;IPv6;a;_x._tcp;local\n{line}\n", resolve=True) == [expected]
    assert parse_browse("+;eth0;IPv6;a;_x._tcp;local\n", resolve=False)[0].name == "a"
