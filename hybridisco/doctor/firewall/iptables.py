"""``iptables-save`` and ``ip6tables-save`` to rules."""

from __future__ import annotations

import shlex

from hybridisco.doctor.facts import Family
from hybridisco.doctor.firewall.model import Chain, Match, Rule

_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}
_IDLE = frozenset({"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE", "AUDIT"})  # targets that go on
#: Options of a rule that are matches, and what each is about; those with addresses depend on the family.
_KEYS = {
    "-p": "protocol",
    "-i": "iif",
    "-o": "oif",
    "--dport": "dport",
    "--dports": "dport",
    "--destination-port": "dport",
    "--sport": "sport",
    "--sports": "sport",
    "--source-port": "sport",
    "--state": "state",
    "--ctstate": "state",
    "--pkt-type": "pkttype",
    "--dst-type": "daddrtype",
}
#: `-m NAME` for what has matches of its own above, or none that could fail.
_KNOWN_MODULES = frozenset({"udp", "multiport", "state", "conntrack", "pkttype", "addrtype", "comment"})


def parse(text: str, family: Family) -> tuple[Chain, ...]:
    """Return the chains of the table ``filter``, where packets are dropped."""
    tool = "iptables" if family == "ipv4" else "ip6tables"
    policies: dict[str, str] = {}
    rules: dict[str, list[Rule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif table == "filter" and line.startswith(":"):
            name, policy = line[1:].split()[:2]
            policies[name] = policy
        elif table == "filter" and line.startswith("-A "):
            name, rule = _rule(line, family)
            rules.setdefault(name, []).append(rule)
    hooks = {"INPUT": "input", "OUTPUT": "output"}
    return tuple(
        Chain(tool, name, tuple(rules.get(name, ())), hooks.get(name), _VERDICTS.get(policy, "accept"), (family,))
        for name, policy in policies.items()
    )


def _rule(line: str, family: Family) -> tuple[str, Rule]:
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    matches: list[Match] = []
    verdict, target, negated = None, "", False
    at = 2
    while at < len(words):
        word, value = words[at], words[at + 1] if at + 1 < len(words) else ""
        at += 2
        if word == "!":
            negated, at = True, at - 1
            continue
        if word in ("-j", "-g"):
            if value in _VERDICTS:
                verdict = _VERDICTS[value]
            elif value not in _IDLE:
                verdict, target = "jump" if word == "-j" else "goto", value
            break  # what follows belongs to the target
        if word == "-m":
            matches += [] if value in _KNOWN_MODULES else [Match("?")]
        elif word in ("-s", "-d"):
            key = f"{'saddr' if word == '-s' else 'daddr'}{4 if family == 'ipv4' else 6}"
            matches.append(Match(key, tuple(value.split(",")), negated))
        elif word in _KEYS:
            matches.append(Match(_KEYS[word], _values(value), negated))
        elif word == "--comment":
            pass
        elif word.startswith("-"):
            matches.append(Match("?"))
        else:  # the value of an option that takes two
            at -= 1
        negated = False
    return words[1], Rule(line.removeprefix("-A "), tuple(matches), verdict, target)


def _values(value: str) -> tuple[str, ...]:
    """Return ``5353``, ``5353,80`` or ``5000:6000`` as values; names are in lower case."""
    return tuple(part.replace(":", "-").lower() if part[:1].isdigit() else part.lower() for part in value.split(","))
