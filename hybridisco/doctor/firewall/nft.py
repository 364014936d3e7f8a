"""``nft list ruleset`` to rules. Its words are one rule a line, which also makes good evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridisco.doctor.facts import Family
from hybridisco.doctor.firewall.model import Chain, Match, Rule

_TABLE = re.compile(r"table (\S+) (\S+) \{")
_CHAIN = re.compile(r"chain (\S+) \{")
_BASE = re.compile(r"type filter hook (\w+) .*?priority [^;]+;(?:\s*policy (\w+);)?")
_WORD = re.compile(r'"[^"]*"|\{[^{}]*\}|\S+')
_FAMILIES: dict[str, tuple[Family, ...]] = {"ip": ("ipv4",), "ip6": ("ipv6",), "inet": ("ipv4", "ipv6")}
#: What a rule does besides judging: how many words it takes. None: all up to the next thing that is known.
_SIDE_EFFECTS = {"counter": None, "log": None, "comment": 2, "#": None, "nftrace": 3}
_VERDICTS = {"accept": "accept", "drop": "drop", "reject": "drop", "return": "return"}
#: Two words that begin a match, and what it is about.
_KEYS = {
    ("udp", "dport"): "udp-dport",
    ("udp", "sport"): "udp-sport",
    ("tcp", "dport"): "tcp-dport",
    ("th", "dport"): "dport",
    ("th", "sport"): "sport",
    ("ip", "saddr"): "saddr4",
    ("ip", "daddr"): "daddr4",
    ("ip6", "saddr"): "saddr6",
    ("ip6", "daddr"): "daddr6",
    ("ip", "protocol"): "protocol",
    ("ip6", "nexthdr"): "protocol",
    ("meta", "l4proto"): "protocol",
    ("meta", "nfproto"): "family",
    ("meta", "pkttype"): "pkttype",
    ("meta", "iifname"): "iif",
    ("meta", "oifname"): "oif",
    ("ct", "state"): "state",
    ("ct", "status"): "status",
}
_SINGLE = {"iifname": "iif", "iif": "iif", "oifname": "oif", "oif": "oif", "pkttype": "pkttype", "l4proto": "protocol"}
_OTHER_PROTOCOLS = frozenset({"tcp", "icmp", "icmpv6", "igmp", "sctp", "dccp", "esp", "ah", "udplite"})


def parse(text: str) -> tuple[Chain, ...]:
    """Return the chains of a rule set that can concern packets from or to this machine."""
    return tuple(_chains(iter(text.splitlines())))


def _chains(lines: Iterator[str]) -> Iterator[Chain]:
    for line in lines:
        if (table := _TABLE.match(line.strip())) is None:
            continue
        families = _FAMILIES.get(table[1])
        name = f"{table[1]} {table[2]}"
        for inner in lines:
            stripped = inner.strip()
            if stripped == "}":
                break
            if families and (chain := _CHAIN.match(stripped)):
                yield _chain(name, chain[1], families, lines)
            elif stripped.endswith("{"):
                _skip_block(lines)


def _skip_block(lines: Iterator[str]) -> None:
    depth = 1
    for line in lines:
        depth += line.count("{") - line.count("}")
        if depth <= 0:
            return


def _chain(table: str, name: str, families: tuple[Family, ...], lines: Iterator[str]) -> Chain:
    hook, policy = None, "accept"
    rules: list[Rule] = []
    for line in lines:
        text = line.strip()
        if text == "}":
            break
        if base := _BASE.match(text):
            hook, policy = base[1], base[2] or "accept"
        elif text and not text.startswith(("type ", "comment ", "#")):
            rules += _rules(text)
    return Chain(table, name, tuple(rules), hook, policy, families)


def _rules(text: str) -> list[Rule]:
    """Return a line as rules: one, or one for each verdict of a map (``ct state vmap { new : drop }``)."""
    shown = re.sub(r"counter packets \d+ bytes \d+ ", "", text)
    words = _WORD.findall(text)
    matches: list[Match] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word in _VERDICTS:
            return [Rule(shown, tuple(matches), _VERDICTS[word])]
        if word in ("jump", "goto"):
            return [Rule(shown, tuple(matches), word, words[at + 1] if at + 1 < len(words) else "")]
        if word in _SIDE_EFFECTS:
            at = _after_side_effect(words, at)
            continue
        key, after = _key(words, at)
        if words[after : after + 1] == ["vmap"]:
            return [
                Rule(shown, (*matches, Match(key, (value,))), verdict, target)
                for value, verdict, target in _verdict_map(words[after + 1 : after + 2])
            ]
        match, at = _match(words, after, key)
        matches.append(match)
    return [Rule(shown, tuple(matches))]


def _key(words: list[str], at: int) -> tuple[str, int]:
    """Return what the match at ``at`` is about, and where its value stands."""
    pair = tuple(words[at : at + 2])
    if len(pair) == 2 and pair in _KEYS:
        return _KEYS[pair], at + 2
    if words[at : at + 3] == ["fib", "daddr", "type"]:
        return "daddrtype", at + 3
    if words[at] in _SINGLE:
        return _SINGLE[words[at]], at + 1
    if words[at] in _OTHER_PROTOCOLS:
        return "other-protocol", at + 2
    return "?", at + 1


def _match(words: list[str], at: int, key: str) -> tuple[Match, int]:
    """Return the match whose value stands at ``at``, and where the next thing begins."""
    if key == "?":  # nothing is known of it, not even how long it is: go on at the next thing that is known
        while at < len(words) and not _is_known(words, at):
            at += 1
        return Match("?"), at
    negated = words[at : at + 1] == ["!="]
    at += words[at : at + 1] in (["!="], ["=="])
    value = words[at] if at < len(words) else ""
    # `ct state established,related`; sets stand in braces
    values = tuple(part.strip().strip('"') for part in value.strip("{} ").split(",") if part.strip())
    return Match(key, values, negated), at + 1


def _is_known(words: list[str], at: int) -> bool:
    word = words[at]
    return word in (*_VERDICTS, "jump", "goto", *_SIDE_EFFECTS) or _key(words, at)[0] != "?"


def _after_side_effect(words: list[str], at: int) -> int:
    length = _SIDE_EFFECTS[words[at]]
    if length is not None:
        return at + length
    if words[at] == "counter":
        return at + (5 if words[at + 1 : at + 2] == ["packets"] else 1)
    at += 1
    while at < len(words) and words[at] not in _VERDICTS and words[at] not in ("jump", "goto", "counter", "comment"):
        at += 1
    return at


def _verdict_map(value: list[str]) -> Iterator[tuple[str, str | None, str]]:
    for entry in (value[0].strip("{} ") if value else "").split(","):
        key, _, verdict = (part.strip().strip('"') for part in entry.partition(" : "))
        action, _, target = verdict.partition(" ")
        yield key, _VERDICTS.get(action, action if action in ("jump", "goto") else None), target
