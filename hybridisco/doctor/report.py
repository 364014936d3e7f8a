"""What the doctor says: checks, each with its evidence, and the causes that follow, likeliest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"  # may be in the way
    PROBLEM = "problem"  # is in the way
    UNKNOWN = "unknown"  # could not be looked at, or what was seen tells too little
    SKIPPED = "skipped"  # does not apply here


class CauseId(StrEnum):
    """Why something may not be seen. Of two that are equally likely, the one that stands first here is named first:
    what is wrong on this machine goes before what may be wrong elsewhere, for it explains more and is mended sooner.
    """

    SETTINGS = "settings-wrong"
    NO_NETWORK = "no-network"
    NO_MULTICAST_LINK = "no-multicast-interface"
    PORT_HELD = "mdns-port-held"
    FIREWALL_HERE = "firewall-here"
    PERMISSION = "local-network-permission"
    CONTAINER = "container-network"
    WSL = "wsl-nat"
    ONLY_TUNNEL = "only-tunnel"
    NOT_HEARD_BACK = "multicast-not-heard-back"
    FIREWALL_THERE = "firewall-there"
    OTHER_NETWORK = "other-network"
    NO_COMMON_FAMILY = "no-common-family"
    NOT_REACHING = "multicast-does-not-reach-it"
    NOT_COMING_IN = "multicast-does-not-come-in"
    ISOLATION = "multicast-blocked-between"
    HOST_UNKNOWN = "host-unknown"
    HOST_OFF = "host-off"
    NO_SIDECAR = "no-sidecar"
    SERVICE_BLOCKED = "service-port-blocked"
    SERVICE_DOWN = "service-not-running"
    UNTRUSTED = "service-untrusted"
    LOOPBACK_ONLY = "loopback-only"
    TUNNEL = "default-route-through-tunnel"
    INTERFACES = "interfaces-not-there"
    CLOCK = "clock"
    NO_IPV6 = "no-ipv6"


class Likelihood(StrEnum):
    """How sure the doctor is that a cause is one."""

    CERTAIN = "certain"  # seen
    LIKELY = "likely"  # what was seen has hardly another explanation
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The cause that a check points to. ``about`` is the host or service that it explains, if not all."""

    cause: CauseId
    likelihood: Likelihood
    title: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    ``evidence`` is what was seen, with names, addresses and ports; ``why`` is what that probably means, and ``fix``
    what to do, both empty where nothing is wrong.
    """

    id: str
    title: str
    result: Result
    evidence: tuple[str, ...] = ()
    why: str = ""
    fix: str = ""
    suspicion: Suspicion | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that is wrong, with all that speaks for it. ``checks`` are the ids of those."""

    id: CauseId
    title: str
    likelihood: Likelihood
    evidence: tuple[str, ...]
    why: str
    fix: str
    checks: tuple[str, ...]
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All checks in the order in which they are read, and all causes, likeliest first."""

    checks: tuple[Check, ...]
    causes: tuple[Cause, ...]

    @property
    def sound(self) -> bool:
        """Whether no check found a problem."""
        return all(check.result is not Result.PROBLEM for check in self.checks)


#: What a cause explains: where it is certain or likely, those that follow from it are no news.
_EXPLAINS: dict[CauseId, frozenset[CauseId]] = {
    CauseId.NO_NETWORK: frozenset(
        {
            CauseId.NO_MULTICAST_LINK,
            CauseId.HOST_OFF,
            CauseId.OTHER_NETWORK,
            CauseId.NO_COMMON_FAMILY,
            CauseId.INTERFACES,
            CauseId.NO_IPV6,
            CauseId.LOOPBACK_ONLY,
        }
    ),
    CauseId.CONTAINER: frozenset({CauseId.NO_NETWORK, CauseId.OTHER_NETWORK, CauseId.NO_IPV6}),
    CauseId.WSL: frozenset({CauseId.OTHER_NETWORK, CauseId.NO_IPV6}),
    CauseId.ONLY_TUNNEL: frozenset({CauseId.TUNNEL, CauseId.NO_MULTICAST_LINK, CauseId.OTHER_NETWORK}),
    CauseId.NO_COMMON_FAMILY: frozenset({CauseId.NO_IPV6}),
    CauseId.FIREWALL_HERE: frozenset({CauseId.NOT_HEARD_BACK}),
    CauseId.PERMISSION: frozenset({CauseId.HOST_OFF}),
}
_ORDER = {cause: rank for rank, cause in enumerate(CauseId)}
_SURENESS = {likelihood: rank for rank, likelihood in enumerate(Likelihood)}


def diagnose(checks: Iterable[Check]) -> tuple[Cause, ...]:
    """Return the causes that ``checks`` point to, each once, likeliest first."""
    found: dict[CauseId, list[tuple[Check, Suspicion]]] = {}
    for check in checks:
        if check.suspicion is not None:
            found.setdefault(check.suspicion.cause, []).append((check, check.suspicion))
    causes = [_merged(cause, pairs) for cause, pairs in found.items()]
    sure = [cause for cause in causes if cause.likelihood is not Likelihood.POSSIBLE]
    explained = frozenset[CauseId]().union(*(_EXPLAINS.get(cause.id, frozenset()) for cause in sure))
    left = [cause for cause in causes if cause.id not in explained]
    return tuple(sorted(left, key=lambda cause: (_SURENESS[cause.likelihood], _ORDER[cause.id])))


def _merged(cause: CauseId, pairs: list[tuple[Check, Suspicion]]) -> Cause:
    """Return one cause of all checks that point to it; the surest speaks for it."""
    first, best = min(pairs, key=lambda pair: _SURENESS[pair[1].likelihood])
    evidence = dict.fromkeys(line for check in (first, *(check for check, _ in pairs)) for line in check.evidence)
    about = dict.fromkeys(suspicion.about for _, suspicion in pairs if suspicion.about)
    fix = first.fix or next((check.fix for check, _ in pairs if check.fix), "")
    return Cause(
        cause,
        best.title,
        best.likelihood,
        tuple(evidence),
        first.why,
        fix,
        tuple(check.id for check, _ in pairs),
        tuple(about),
    )
