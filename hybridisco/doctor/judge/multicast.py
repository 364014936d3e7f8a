"""Judges UDP port 5353, our own multicast, and the firewall of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hybridisco.doctor.facts import FAMILIES, Asked, Facts, Family, PortHolder, RuleSet
from hybridisco.doctor.judge.local import TITLES, Local
from hybridisco.doctor.report import CauseId, Check, Likelihood, Result, Suspicion

_WHO = {
    "linux": "As root this check tells which one it is: sudo hybridisco doctor.",
    "darwin": "`sudo lsof -nP -iUDP:5353` tells which program has it.",
    "win32": "`netstat -ano -p UDP | findstr 5353` tells the number of the process that has it.",
}
_LOOK = {
    "linux": "As root this check reads the rules: sudo hybridisco doctor. Look for rules that drop UDP port 5353.",
    "darwin": "Look at System Settings › Network › Firewall: 'Block all incoming connections' must be off.",
    "win32": "Look whether the network is 'Private', and whether Windows Defender Firewall lets Python and Blender in "
    "(UDP port 5353): Control Panel › Windows Defender Firewall › Allow an app.",
}


def port(facts: Facts) -> tuple[Check, ...]:
    """Judge whether we can have UDP port 5353 beside others."""
    title = "UDP port 5353"
    if facts.port is None:
        return (Check("port", title, Result.UNKNOWN, ("it was not looked at",)),)
    holders = facts.port.holders
    lines = tuple(f"in use by {_who(holder)}" for holder in holders or ())
    if not facts.port.errors:
        return (Check("port", title, Result.OK, ("can be shared", *lines)),)
    families = " and ".join(TITLES[family] for family, _ in facts.port.errors)
    culprit = next((holder.program for holder in holders or () if holder.program), None)
    denied = all(error in ("EACCES", "EPERM") for _, error in facts.port.errors)
    if denied:
        why = "This program is not allowed to have the port. Probably a sandbox or a security program forbids it."
        fix = "Allow it, or start the program outside of its sandbox."
    else:
        why = (
            f"{culprit or 'Another program'} has the port for itself ({families}), so mDNS cannot be heard here. A "
            "well-behaved program shares it."
        )
        who = "" if culprit else _WHO.get(facts.machine.platform, _WHO["linux"])
        fix = f"Stop {culprit or 'that program'}. {who}".strip()
    return (
        Check(
            "port",
            title,
            Result.PROBLEM,
            (*(f"{TITLES[family]}: cannot be had ({error})" for family, error in facts.port.errors), *lines),
            why,
            fix,
            Suspicion(CauseId.PORT_HELD, Likelihood.CERTAIN, "UDP port 5353 cannot be shared"),
        ),
    )


def _who(holder: PortHolder) -> str:
    program = f"{holder.program} (process {holder.pid})" if holder.program else "a program that only root may see"
    return f"{program} at {holder.address}"


def own(facts: Facts) -> tuple[Check, ...]:
    """Judge whether our own questions are heard here."""
    title = "Own multicast"
    if facts.exchange is None or facts.links is None or not facts.links.speaking:
        return (Check("own-multicast", title, Result.SKIPPED, ("nothing could be sent",)),)
    if facts.port is not None and len(facts.port.errors) == len(FAMILIES):
        return (Check("own-multicast", title, Result.SKIPPED, ("UDP port 5353 cannot be shared",)),)
    asked: dict[tuple[str, Family], list[Asked]] = {}
    for one in facts.exchange.asked:
        if one.how == "multicast":
            asked.setdefault((one.link or "?", one.family), []).append(one)
    lines = tuple(f"{name}, {TITLES[family]}: {_fate(every)}" for (name, family), every in asked.items())
    bad = [place for place, every in asked.items() if not any(one.heard_back for one in every)]
    if not bad:
        return (Check("own-multicast", title, Result.OK, lines),)
    denied = [place for place in bad if any(one.error in ("EPERM", "EACCES") for one in asked[place])]
    result = Result.PROBLEM if len(bad) == len(asked) else Result.WARNING
    if denied:
        return (
            Check(
                "own-multicast",
                title,
                Result.PROBLEM,
                lines,
                "The system does not let us send to the mDNS group. Only a firewall of this machine says so.",
                "Allow outgoing UDP to port 5353 in it.",
                Suspicion(CauseId.FIREWALL_HERE, Likelihood.CERTAIN, "A firewall on this machine drops mDNS"),
            ),
        )
    return (
        Check(
            "own-multicast",
            title,
            result,
            lines,
            "What we send to the mDNS group does not come back to another socket of this machine. Probably a firewall "
            "or a security program drops incoming UDP to port 5353.",
            f"Allow it there. {_LOOK.get(facts.machine.platform, '')}".strip(),
            Suspicion(
                CauseId.NOT_HEARD_BACK,
                Likelihood.LIKELY if result is Result.PROBLEM else Likelihood.POSSIBLE,
                "This machine does not hear its own multicast",
            ),
        ),
    )


def _fate(every: list[Asked]) -> str:
    if any(one.heard_back for one in every):
        return "heard back"
    errors = dict.fromkeys(one.error for one in every if one.error)
    return f"could not be sent ({', '.join(errors)})" if errors else "sent, but not heard back"


def firewall(facts: Facts) -> tuple[Check, ...]:
    """Judge whether a firewall of this machine drops mDNS, by its own rules."""
    title, sets = "Firewall here", facts.firewall
    hint = _LOOK.get(facts.machine.platform, _LOOK["linux"])
    if not sets:
        told = "no firewall tool is installed" if sets is not None else "not looked at"
        return (Check("firewall", title, Result.UNKNOWN, (told,), fix=hint),)
    read = [one for one in sets if not one.error]
    unread = tuple(_unread(sets))
    local = Local.of(facts)
    # Unicast to port 5353 is dropped by many sound machines (ufw); mDNS can do without.
    sure = [drop for drop in local.drops if drop.sure and drop.packet.multicast]
    doubtful = [drop for drop in local.drops if not drop.sure and drop.packet.multicast]
    if sure:
        lines = dict.fromkeys(
            f"{drop.tool} drops {'outgoing' if drop.packet.direction == 'output' else 'incoming'} "
            f"{TITLES[drop.packet.family]} multicast: {drop.rule}"
            for drop in sure
        )
        return (
            Check(
                "firewall",
                title,
                Result.PROBLEM,
                tuple(lines),
                "These rules of this machine drop mDNS packets, so announcements do not come in, or questions do not "
                "get out.",
                _fix(sets, sure[0].tool, sure[0].rule),
                Suspicion(CauseId.FIREWALL_HERE, Likelihood.CERTAIN, "A firewall on this machine drops mDNS"),
            ),
        )
    if doubtful and not local.heard_all:
        first = doubtful[0]
        return (
            Check(
                "firewall",
                title,
                Result.WARNING,
                (f"{first.tool}: perhaps {first.rule}",),
                "This rule may drop mDNS packets; what it depends on cannot be seen from here.",
                _fix(sets, first.tool, first.rule),
                Suspicion(CauseId.FIREWALL_HERE, Likelihood.LIKELY, "A firewall on this machine probably drops mDNS"),
            ),
        )
    if not any(one.tool in ("nft", "iptables", "ip6tables") for one in read):
        state = tuple(f"{one.tool}: {one.text.strip().splitlines()[0]}" for one in read if one.text.strip())
        return (Check("firewall", title, Result.UNKNOWN, (*state, *unread), fix=hint),)
    unicast = tuple(
        dict.fromkeys(f"unicast is dropped, which does no harm: {drop.rule}" for drop in local.drops if drop.sure)
    )
    evidence = (f"no rule of {', '.join(_names(read))} drops multicast", *unicast, *unread)
    return (Check("firewall", title, Result.OK, evidence),)


def _unread(sets: Iterable[RuleSet]) -> Iterator[str]:
    """Yield why tools said nothing; what only root may see is said in one line."""
    errors = {one.tool: one.error for one in sets if one.error}
    for_root = [tool for tool, error in errors.items() if "ermi" in error or "root" in error]
    if for_root:
        yield f"only root may see the rules of {', '.join(for_root)}"
    yield from (f"{tool}: {error}" for tool, error in errors.items() if tool not in for_root)


def _names(sets: Iterable[RuleSet]) -> list[str]:
    return [one.tool for one in sets]


def _fix(sets: Iterable[RuleSet], tool: str, rule: str) -> str:
    """Return the command for the program that makes the rules, where there is one; else for the rules themselves."""
    said = {one.tool: one.text for one in sets if not one.error}
    if "Status: active" in said.get("ufw", ""):
        return "Allow mDNS: sudo ufw allow 5353/udp"
    if "firewalld" in said and "not running" not in said["firewalld"]:
        return "Allow mDNS: sudo firewall-cmd --permanent --add-service=mdns && sudo firewall-cmd --reload"
    chain = rule.partition(": ")[0]
    if tool == "nft":
        return f"Remove that rule, or allow mDNS before it: sudo nft insert rule {chain} udp dport 5353 accept"
    name = chain.rpartition(" ")[2]
    return f"Remove that rule, or allow mDNS before it: sudo {tool} -I {name} -p udp --dport 5353 -j ACCEPT"
