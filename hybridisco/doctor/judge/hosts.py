"""Judges each other host by the two-sided test (:mod:`.ways`): who hears whom, and on which side it is lost.

Where no way is open, TCP tells a host that is off from a firewall; a refusal of UDP port 5353 tells that nobody has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hybridisco.doctor.facts import FAMILIES, Exchange, Facts, Family, HostFacts, Tcp
from hybridisco.doctor.judge import names
from hybridisco.doctor.judge.local import TITLES, Local
from hybridisco.doctor.judge.ways import Ways, answers_of, ways
from hybridisco.doctor.report import CauseId, Check, Likelihood, Result, Suspicion


def hosts(facts: Facts) -> tuple[Check, ...]:
    """Judge every host that the user named, and tell of the sidecars that answered besides."""
    exchange = facts.exchange or Exchange()
    checks = [_host(host, facts, exchange) for host in facts.hosts or ()]
    known = {answer for host in facts.hosts or () for answer in answers_of(host, exchange)}
    every = facts.links.every if facts.links else ()
    own = {str(address.ip) for link in every for address in link.interface.addresses}
    others = dict.fromkeys(
        f"{answer.host or 'a sidecar'} at {answer.source} hears us, and is heard"
        for answer in exchange.answers
        if answer.via == "multicast" and answer not in known and answer.source.partition("%")[0] not in own
    )
    if others:
        checks.append(Check("sidecars", "Sidecars heard", Result.OK, tuple(others)))
    elif not checks:
        checks.append(
            Check(
                "sidecars",
                "Two-sided test",
                Result.SKIPPED,
                ("no sidecar answered, and no other host is known",),
                fix="Name the host that is not seen: hybridisco doctor --host HOST. With `hybridisco announce` running "
                "there, this test tells on which side packets are lost.",
            )
        )
    return tuple(checks)


class _Verdict(NamedTuple):
    """What is wrong with a host, in words."""

    cause: CauseId
    likelihood: Likelihood
    title: str
    why: str
    fix: str


def _host(host: HostFacts, facts: Facts, exchange: Exchange) -> Check:
    check_id, title = f"host:{host.name}", f"Host {host.name}"
    if host.here:
        return Check(check_id, title, Result.SKIPPED, ("it is this machine",))
    families = [family for family in FAMILIES if any((":" in a) == (family == "ipv6") for a in host.addresses)]
    seen = {family: ways(host, exchange, family) for family in families}
    evidence = (*(f"{TITLES[family]}, {way}" for family, way in seen.items() if way.any), *_proofs(host, exchange))
    local = Local.of(facts)
    verdicts = [
        verdict for family, way in seen.items() if way.any and (verdict := _lost(host.name, family, way, local))
    ]
    if any(way.well for way in seen.values()):
        if not verdicts:
            return Check(check_id, title, Result.OK, evidence)
        return _check(
            check_id, title, Result.WARNING, evidence, verdicts[0]._replace(likelihood=Likelihood.POSSIBLE), host
        )
    if any(way.any for way in seen.values()):
        if not verdicts:  # no question by multicast left this machine: what keeps it back is told by other checks
            return Check(check_id, title, Result.UNKNOWN, evidence, "Only unicast could be tested.")
        return _check(check_id, title, Result.PROBLEM, evidence, verdicts[0], host)
    return _check(check_id, title, Result.PROBLEM, evidence, _silent(host, facts, exchange, local), host)


def _check(
    check_id: str, title: str, result: Result, evidence: tuple[str, ...], verdict: _Verdict, host: HostFacts
) -> Check:
    suspicion = Suspicion(verdict.cause, verdict.likelihood, verdict.title, host.name)
    return Check(check_id, title, result, evidence, verdict.why, verdict.fix, suspicion)


def _proofs(host: HostFacts, exchange: Exchange) -> Iterator[str]:
    """Yield what was seen besides the echo."""
    if not host.addresses:
        yield f"the name {host.name} has no address"
    for address in host.addresses:
        replies = [reply for reply in host.replies if reply.address == address]
        by_outcome = {outcome: [r.port for r in replies if r.outcome is outcome] for outcome in Tcp}
        told = [f"{outcome} at {', '.join(map(str, ports))}" for outcome, ports in by_outcome.items() if ports]
        if told:
            yield f"TCP to {address}: {'; '.join(told)}"
        if address in exchange.refused:
            yield f"UDP to {address} port 5353: refused, nobody has it"
        elif address in exchange.responders:
            yield f"UDP to {address} port 5353: an mDNS responder answers"
    if host.neighbour is not None:
        yield f"on the link (ARP) it {'answers' if host.neighbour else 'does not answer'}"


def _lost(name: str, family: Family, way: Ways, local: Local) -> _Verdict | None:
    """Return where multicast between us and a host with a sidecar is lost, or None if it is not."""
    if way.well or not (way.tried or family in local.mute):
        return None
    out_is_lost, in_is_lost = not way.multicast_unicast, not way.unicast_multicast
    ours = (out_is_lost and family in local.mute) or (in_is_lost and family in local.deaf)
    what = TITLES[family]
    if ours:
        return _Verdict(
            CauseId.FIREWALL_HERE,
            Likelihood.CERTAIN,
            "A firewall on this machine drops mDNS",
            f"{name} answers by unicast. It is this machine's own firewall that keeps {what} multicast back.",
            "",
        )
    own = f"{what} multicast of this machine comes back to itself" if family in local.heard else ""
    here = f" This machine is probably not to blame: {own}." if own else ""
    if way.multicast_unicast:
        return _Verdict(
            CauseId.NOT_COMING_IN,
            Likelihood.LIKELY,
            f"Multicast of {name} does not come in here",
            f"{name} hears our multicast and answers by unicast, but its {what} multicast does not come in.{here} "
            "Probably its firewall drops outgoing UDP to port 5353, or the network loses it on the way.",
            f"Allow outgoing UDP to {_group(family)} port 5353 on {name}. If it is allowed, look at the switch (IGMP "
            "snooping) or access point.",
        )
    if way.unicast_multicast:
        return _Verdict(
            CauseId.NOT_REACHING,
            Likelihood.LIKELY,
            f"Our multicast does not reach {name}",
            f"{name} is heard by multicast, but does not hear ours ({what}).{here} Probably its firewall drops "
            "incoming UDP to port 5353, or the network loses it on the way.",
            f"Allow incoming UDP port 5353 on {name} ({_group(family)}; ufw: sudo ufw allow 5353/udp). If it is "
            "allowed, look at the switch (IGMP snooping) or access point.",
        )
    return _Verdict(
        CauseId.ISOLATION,
        Likelihood.LIKELY,
        f"Multicast is lost between here and {name}, in both directions",
        f"{name} and its sidecar answer by unicast, but {what} multicast arrives on neither side.{here} Probably "
        "the access point isolates its clients, a switch filters multicast (IGMP snooping without a querier), or a VPN "
        "is between.",
        "Switch off 'AP isolation' or 'client isolation' (not a guest network), switch off IGMP snooping or give it a "
        f"querier, or write it down: hybridisco add http://{name}:PORT.",
    )


def _group(family: Family) -> str:
    return "224.0.0.251" if family == "ipv4" else "ff02::fb"


def _silent(host: HostFacts, facts: Facts, exchange: Exchange, local: Local) -> _Verdict:
    """Return why a host is not heard from by any of the four ways."""
    name, add = host.name, f"or write its services down: hybridisco add http://{host.name}:PORT."
    if not host.addresses:
        return _Verdict(*names.unknown(name))
    used = facts.links.used if facts.links else ()
    ours = {family for family in FAMILIES if any(link.has(family) for link in used)}
    theirs: set[Family] = {"ipv6" if ":" in address else "ipv4" for address in host.addresses}
    if used and not ours & theirs:
        need = " and ".join(TITLES[family] for family in sorted(theirs))
        return _Verdict(
            CauseId.NO_COMMON_FAMILY,
            Likelihood.LIKELY,
            f"{name} speaks {need} only, and this machine does not",
            f"{name} has {', '.join(host.addresses)}, but no interface here has {need}.",
            f"Switch {need} on here, or give {name} an address of the other family.",
        )
    heard_udp = bool(exchange.refused & set(host.addresses) or exchange.responders & set(host.addresses))
    if not host.links and used:
        way = "answers" if host.up or heard_udp else "does not answer"
        return _Verdict(
            CauseId.OTHER_NETWORK,
            Likelihood.LIKELY,
            f"{name} is in another network",
            f"No interface of this machine is in the network of {', '.join(host.addresses)} (it {way}). mDNS does not "
            "cross routers.",
            f"Connect both to the same network, {add}",
        )
    if heard_udp:
        what = "an mDNS responder, but no sidecar" if exchange.responders & set(host.addresses) else "no mDNS responder"
        return _Verdict(
            CauseId.NO_SIDECAR,
            Likelihood.LIKELY,
            f"No sidecar runs on {name}",
            f"{name} is up, and UDP gets there and back; there is {what}, so nothing announces its backends.",
            f"Start `hybridisco announce` on {name}, {add}",
        )
    if host.up:
        return _blocked(name, local, add)
    if host.neighbour:
        return _Verdict(
            CauseId.FIREWALL_THERE,
            Likelihood.LIKELY,
            f"A firewall on {name} drops everything",
            f"{name} is switched on, for it answers on the link (ARP), but neither TCP nor UDP gets an answer.",
            f"Allow UDP port 5353 and the TCP ports of its backends in the firewall of {name}.",
        )
    return _Verdict(
        CauseId.HOST_OFF,
        Likelihood.LIKELY,
        f"{name} is off, or there is no way to it",
        f"Nothing at {', '.join(host.addresses)} answers, neither to TCP nor to UDP"
        f"{', nor on the link itself' if host.neighbour is False else ''}. Probably it is off or asleep, has another "
        "address now, or the access point isolates its clients.",
        "Switch it on, and check its address. If it is on, switch off 'AP isolation' or 'client isolation'.",
    )


def _blocked(name: str, local: Local, add: str) -> _Verdict:
    """Return who blocks UDP to a host that answers to TCP."""
    if local.mute:
        return _Verdict(
            CauseId.FIREWALL_HERE,
            Likelihood.CERTAIN,
            "A firewall on this machine drops mDNS",
            f"{name} answers to TCP, but the firewall here does not let mDNS out.",
            "",
        )
    return _Verdict(
        CauseId.FIREWALL_THERE,
        Likelihood.LIKELY,
        f"A firewall on {name} drops UDP port 5353",
        f"{name} is up (TCP), but UDP port 5353 gives no sign, not even that nobody has it. Probably its firewall "
        "drops it, or it drops all that nobody listens to, and no sidecar runs there.",
        f"Allow UDP port 5353 in the firewall of {name} (ufw: sudo ufw allow 5353/udp; Windows: allow the program on "
        f"private networks), start `hybridisco announce` there, {add}",
    )
