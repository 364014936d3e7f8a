"""Judges services that do not answer or are not believed, and backends of this machine that nobody else can reach."""

from __future__ import annotations

from hybridisco.core.model import SourceName
from hybridisco.doctor.facts import Facts, Reply, SilentService, Tcp, UntrustedService
from hybridisco.doctor.judge import names
from hybridisco.doctor.report import CauseId, Check, Likelihood, Result, Suspicion


def silent(facts: Facts) -> tuple[Check, ...]:
    """Judge what is announced or written down and does not answer, or is not believed: on which side is it lost?"""
    title = "Announced services"
    if facts.found is None:
        return (Check("services", title, Result.UNKNOWN, ("not looked at",)),)
    number = facts.found.answering
    answering = f"{number} service{'' if number == 1 else 's'} found that answer{'s' if number == 1 else ''}"
    if facts.found.silent or facts.found.untrusted:
        lost = (_service(service, facts) for service in facts.found.silent)
        return (*lost, *map(_untrusted, facts.found.untrusted))
    # What troubles the sources has causes that other checks name.
    return (Check("services", title, Result.OK, (answering, *facts.found.troubles)),)


def _service(service: SilentService, facts: Facts) -> Check:
    cause, likelihood, title, why, fix = _why(service, facts)
    evidence = tuple(_line(reply) for reply in service.replies) or (service.problem or "its name has no address",)
    told = "announced" if SourceName.MDNS in service.sources else "written down"
    return Check(
        f"service:{service.name}",
        f"Service {service.name}",
        Result.PROBLEM,
        (f"{service.url}, {told} by {service.host}" if told == "announced" else f"{service.url}, {told}", *evidence),
        why,
        fix,
        Suspicion(cause, likelihood, title, service.name),
    )


def _untrusted(service: UntrustedService) -> Check:
    return Check(
        f"service:{service.name}",
        f"Service {service.name}",
        Result.PROBLEM,
        (f"{service.url}, announced by {service.host}, is not believed", service.problem),
        "Whoever announces it cannot show that he may, so it is never offered for use: its machine or sidecar may have "
        "been set up anew, or somebody pretends to be it.",
        "Find out which; what was seen of it says how. `hybridisco trust list` shows the keys that are known here, and "
        "those that were refused.",
        Suspicion(CauseId.UNTRUSTED, Likelihood.CERTAIN, f"{service.name} is not trusted", service.name),
    )


def _line(reply: Reply) -> str:
    address = f"[{reply.address}]" if ":" in reply.address else reply.address
    return f"TCP to {address}:{reply.port}: {reply.outcome}"


def _why(service: SilentService, facts: Facts) -> tuple[CauseId, Likelihood, str, str, str]:
    outcomes = {reply.outcome for reply in service.replies}
    ports = ", ".join(dict.fromkeys(str(reply.port) for reply in service.replies))
    host = service.host
    # Whoever announces is there; else the ARP table tells.
    there = SourceName.MDNS in service.sources or service.neighbour is True
    if not outcomes:
        return names.unknown(host)
    if Tcp.ACCEPTED in outcomes:
        return (
            CauseId.SERVICE_DOWN,
            Likelihood.LIKELY,
            f"{service.name} does not answer",
            service.problem or "It accepts connections, but gives no answer that can be used.",
            "Look at its console; restart it if it stays so.",
        )
    if Tcp.REFUSED in outcomes:
        return (
            CauseId.SERVICE_DOWN,
            Likelihood.CERTAIN,
            f"Nothing listens at {service.url}",
            f"{host} is up and refuses port {ports}: the backend is not running, or listens for its own machine only.",
            " ".join(hint for hint in (f"On {host}:", service.start_hint or "start it.", service.lan_hint) if hint),
        )
    if facts.machine.platform == "darwin" and Tcp.NO_ROUTE in outcomes and there:
        return (
            CauseId.PERMISSION,
            Likelihood.LIKELY,
            "macOS does not let this program use the local network",
            f"{host} is announced, but macOS says that there is no way to it.",
            "Allow it in System Settings › Privacy & Security › Local Network, and start it again.",
        )
    if there and outcomes & {Tcp.TIMEOUT, Tcp.NO_ROUTE, Tcp.FAILED}:
        return (
            CauseId.SERVICE_BLOCKED,
            Likelihood.LIKELY,
            f"A firewall on {host} drops TCP port {ports}",
            f"{host} is there (it announces the service, or answers on the link), but connections to port {ports} get "
            f"no answer at all. Probably the firewall of {host} drops them: a missing backend would be refused.",
            f"Allow TCP port {ports} in the firewall of {host} (ufw: sudo ufw allow {ports.split(',')[0]}/tcp; "
            "Windows: allow the program on private networks).",
        )
    if Tcp.UNROUTABLE in outcomes:
        return (
            CauseId.OTHER_NETWORK,
            Likelihood.LIKELY,
            f"{host} is in another network",
            f"There is no way from this machine to {host}. Probably the two are in different networks.",
            "Connect both to the same network.",
        )
    if Tcp.DENIED in outcomes:
        return (
            CauseId.FIREWALL_HERE,
            Likelihood.LIKELY,
            "A firewall on this machine forbids the connection",
            f"The system does not let this program connect to {host}.",
            f"Allow outgoing TCP to port {ports}.",
        )
    return (
        CauseId.HOST_OFF,
        Likelihood.LIKELY,
        f"{host} is off, or there is no way to it",
        f"{host} does not answer at all. Probably it is off or asleep, or has another address now.",
        "Switch it on, or correct the entry.",
    )


def loopback_only(facts: Facts) -> tuple[Check, ...]:
    """Judge the backends of this machine: can the LAN reach them?"""
    title = "Backends of this machine"
    if facts.backends is None:
        return (Check("loopback", title, Result.UNKNOWN, ("not looked at",)),)
    if not facts.backends:
        return (Check("loopback", title, Result.OK, ("none listens for this machine only",)),)
    first = facts.backends[0]
    lines = tuple(
        f"{one.title} answers at {one.url}, but not at {', '.join(one.refused)} port {one.port}"
        for one in facts.backends
    )
    hints = dict.fromkeys(one.hint or f"Let {one.title} listen on 0.0.0.0." for one in facts.backends)
    return (
        Check(
            "loopback",
            title,
            Result.WARNING,  # this machine itself can use them
            lines,
            "It listens for this machine only, so no other machine can use it, and no sidecar announces it.",
            " ".join(hints),
            Suspicion(
                CauseId.LOOPBACK_ONLY,
                Likelihood.LIKELY,
                f"{first.title} listens for this machine only",
                ", ".join(dict.fromkeys(one.title for one in facts.backends)),
            ),
        ),
    )
