"""The words of the firewall tools as rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hybridisco.doctor.facts import FAMILIES, RuleSet
from hybridisco.doctor.firewall import iptables, nft
from hybridisco.doctor.firewall.model import Chain


def parsed(sets: Iterable[RuleSet]) -> Iterator[tuple[str, tuple[Chain, ...]]]:
    """Yield the rules of each tool that said something, with its name."""
    read = {one.tool: one.text for one in sets if not one.error}
    if "nft" in read:
        yield "nft", nft.parse(read["nft"])
    for tool, family in (("iptables", FAMILIES[0]), ("ip6tables", FAMILIES[1])):
        # The newer iptables writes into nft, whose list has those rules, too.
        if tool in read and not ("nft" in read and "(nf_tables)" in read[tool].partition("\n")[0]):
            yield tool, iptables.parse(read[tool], family)
