"""What `nft list ruleset` prints, and what becomes of mDNS packets by it."""

from __future__ import annotations

import pytest

from hybridisco.doctor.firewall import nft
from hybridisco.doctor.firewall.model import Drop, Packet, drops

IN4 = Packet("input", "ipv4", "10.77.0.1", "224.0.0.251", "eth0")
IN6 = Packet("input", "ipv6", "fe80::1", "ff02::fb", "eth0")
OUT4 = Packet("output", "ipv4", "10.77.0.2", "224.0.0.251", "eth0")
UNICAST4 = Packet("input", "ipv4", "10.77.0.1", "10.77.0.2", "eth0")

#: As nftables 1.0.6 prints it, a set of several lines and anonymous sets included.
REAL = """\
table inet t {
	set big {
		type inet_service
		elements = { 1, 2, 3, 5, 7,
			     9, 11, 13, 15, 17 }
	}

	chain x {
		ip6 daddr ff02::fb log prefix "a b" reject with icmpv6 port-unreachable
		meta pkttype multicast drop
	}

	chain i {
		type filter hook input priority filter; policy accept;
		iifname "lo" accept
		ct state vmap { invalid : drop, established : accept }
		meta l4proto { tcp, udp } th dport 53 accept
		limit rate 3/second tcp dport 80 accept
		jump x
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy drop;
	}
}
"""  # noqa: E101


def chain(*rules: str, hook: str = "input", policy: str = "accept", family: str = "inet") -> str:
    """A rule set with one chain."""
    lines = [f"type filter hook {hook} priority filter; policy {policy};", *rules]
    return f"table {family} filter {{\n\tchain c {{\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n}\n"


def fate(text: str, packet: Packet = IN4) -> Drop | None:
    """What becomes of a packet."""
    return drops("nft", nft.parse(text), packet)


def test_a_real_rule_set() -> None:
    found = fate(REAL)
    assert found == Drop(IN4, "nft", "inet t x: meta pkttype multicast drop", sure=True)
    six = fate(REAL, IN6)
    assert six is not None
    assert six.rule.startswith('inet t x: ip6 daddr ff02::fb log prefix "a b" reject')
    assert fate(REAL, UNICAST4) is None
    assert fate(REAL, OUT4) is None


@pytest.mark.parametrize(
    "rule",
    [
        "drop",
        "udp dport 5353 drop",
        "udp dport { 80-90, 5353 } counter packets 3 bytes 90 drop",
        "udp dport 5000-6000 drop",
        "udp dport != 22 drop",
        "udp dport mdns reject",
        "ip daddr 224.0.0.251 drop",
        "ip daddr 224.0.0.0/4 drop",
        "ip daddr 224.0.0.1-224.0.0.255 drop",
        "ip saddr 10.77.0.0/24 udp sport 5353 drop",
        "ip protocol udp drop",
        "meta l4proto udp drop",
        "meta nfproto ipv4 drop",
        'iifname "eth0" drop',
        'iifname "eth*" drop',
        'iifname != "lo" drop',
        "meta pkttype multicast drop",
        "pkttype multicast  counter packets 0 bytes 0 drop",
        "fib daddr type multicast drop",
        "ct state new drop",
        "ct state vmap { established : accept, new : drop }",
        'udp dport 5353 log prefix "no mDNS: " level info drop comment "not here"',
    ],
)
def test_it_is_dropped(rule: str) -> None:
    found = fate(chain(rule))
    assert found is not None
    assert found.sure
    assert found.rule.startswith("inet filter c: ")
    assert "counter" not in found.rule


@pytest.mark.parametrize(
    "rule",
    [
        "udp dport 53 drop",
        "tcp dport 5353 drop",
        "tcp dport { 1, 3, 5353 } drop",
        "icmp type echo-request drop",
        "ip6 daddr ff02::fb drop",
        "meta nfproto ipv6 drop",
        'iifname "eth1" drop',
        'oifname "eth0" drop',
        "ct state invalid drop",
        "ct state established,related drop",
        "ip saddr 192.168.0.0/16 drop",
        "udp dport 5353 accept",
        "udp dport 5353 counter packets 0 bytes 0",
        "fib daddr type broadcast drop",
        "jump nowhere",
        "goto nowhere",
    ],
)
def test_it_is_not_dropped(rule: str) -> None:
    assert fate(chain(rule)) is None


@pytest.mark.parametrize(
    "rules",
    [
        ("udp dport @ports drop",),
        ("meta mark 0x1 drop",),
        ("limit rate over 3/second udp dport 5353 drop",),
        ("udp dport @ports accept", "drop"),
        ("meta skuid 1000 accept", "udp dport 5353 drop"),
    ],
)
def test_what_cannot_be_told_is_not_said_to_be_sure(rules: tuple[str, ...]) -> None:
    found = fate(chain(*rules))
    assert found is not None
    assert not found.sure


def test_the_first_verdict_counts() -> None:
    assert fate(chain("udp dport 5353 accept", "drop")) is None
    assert fate(chain("ct state established accept", policy="drop")) == Drop(
        IN4, "nft", "inet filter c: policy drop", sure=True
    )
    assert fate(chain("udp dport 5353 accept", policy="drop")) is None
    assert fate(chain(policy="drop", family="ip6")) is None
    assert fate(chain(policy="drop", family="ip6"), IN6) is not None
    assert fate(chain(policy="drop", family="bridge")) is None


#: What firewalld writes, shortened.
FIREWALLD = """\
table inet firewalld {
    chain filter_INPUT {
        type filter hook input priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname "lo" accept
        ct state invalid drop
        jump filter_INPUT_ZONES
        reject with icmpx admin-prohibited
    }
    chain filter_INPUT_ZONES {
        iifname "eth0" goto filter_IN_public
        goto filter_IN_public
    }
    chain filter_IN_public {
        jump filter_IN_public_allow
        meta l4proto { icmp, ipv6-icmp } accept
        reject with icmpx admin-prohibited
    }
    chain filter_IN_public_allow {
        tcp dport 22 accept
        ip6 daddr fe80::/64 udp dport 546 accept
        ip daddr 224.0.0.251 udp dport 5353 accept
    }
}
"""


def test_firewalld() -> None:
    assert fate(FIREWALLD) is None
    six = fate(FIREWALLD, IN6)
    assert six is not None
    assert six.sure
    assert six.rule == "inet firewalld filter_IN_public: reject with icmpx admin-prohibited"


def test_every_chain_of_a_hook_must_accept() -> None:
    assert fate(chain("accept") + chain("udp dport 5353 drop")) is not None


def test_ways_through_other_chains() -> None:
    text = (
        "table inet f {\n\tchain zone {\n\t\tudp dport 5353 accept\n\t\treturn\n\t}\n"
        "\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n"
        '\t\tiifname vmap { "eth0" : jump zone }\n\t}\n}\n'
    )
    assert fate(text) is None
    assert fate(text.replace("5353", "53")) is not None
    assert fate(text.replace("jump", "goto")) is None
    assert fate(text.replace("jump", "goto").replace("5353", "53")) is not None
    endless = text.replace("udp dport 5353 accept", "jump zone")
    assert fate(endless) is not None
