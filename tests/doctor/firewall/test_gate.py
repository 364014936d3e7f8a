"""Whether this machine's own firewall keeps the LAN away from a TCP port."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest

from hybridisco.doctor.facts import RuleSet
from hybridisco.doctor.firewall import gate

ETH0, WLAN0 = ("eth0", ip_interface("10.77.0.1/24")), ("wlan0", ip_interface("fd77::1/64"))
TABLE = (
    "table inet f {{\n\tchain in {{\n\t\ttype filter hook input priority filter; policy {policy};\n{rules}\t}}\n}}\n"
)


def nft(*rules: str, policy: str = "accept") -> RuleSet:
    return RuleSet("nft", TABLE.format(policy=policy, rules="".join(f"\t\t{rule}\n" for rule in rules)))


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (nft("tcp dport 8188 drop"), "tcp dport 8188 drop"),
        (nft("tcp dport 8000-9000 reject"), "tcp dport 8000-9000 reject"),
        (nft("tcp dport { 22, 443 } accept", policy="drop"), "policy drop"),
        (nft("tcp dport { 22, 8188 } accept", policy="drop"), None),
        (nft("udp dport 8188 drop"), None),
        (nft("tcp dport 8189 drop"), None),
        (nft('iifname "eth0" tcp dport 8188 drop'), None),  # by the other interface it can be reached
        (nft("meta mark 7 accept", policy="drop"), None),  # a rule that is not understood may have let it in
        (RuleSet("nft", error="Operation not permitted"), None),
        (
            RuleSet("iptables", "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"),
            None,
        ),
    ],
)
async def test_only_what_is_certain_is_said(said: RuleSet, rule: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gather() -> tuple[RuleSet, ...]:
        return (said,)

    monkeypatch.setattr(gate, "gather", gather)  # stands for the tools of this machine
    found = await gate.rule_against(8188, [ETH0, WLAN0])
    assert (found is None) if rule is None else (found is not None and rule in found)


async def test_the_older_tool_is_understood_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gather() -> tuple[RuleSet, ...]:
        return (
            RuleSet("iptables", "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"),
        )

    monkeypatch.setattr(gate, "gather", gather)  # as above
    assert "policy drop" in (await gate.rule_against(8188, [ETH0]) or "").lower()
    assert await gate.rule_against(22, [ETH0]) is None
