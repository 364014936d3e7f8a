"""How an endpoint stands as a kind, and what evidence is that does not say it by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hybridisco.core.evidence import EndpointKey, Evidence, World
from hybridisco.core.identity import Key, partition, place_keys
from hybridisco.core.model import UNKNOWN_KIND, Endpoint, Finding, SourceName, Status

Looked = Mapping[EndpointKey, Evidence]

#: Whose words count most. A claim goes before a scan: it has a name, and the probe proves its kind anyway.
PRECEDENCE = {SourceName.MANUAL: 0, SourceName.MDNS: 1, SourceName.PROBE: 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one endpoint stands as the service's kind."""

    endpoint: Endpoint
    status: Status
    verified: bool
    evidence: Evidence | None


def judge(kind: str, endpoint: Endpoint, evidence: Evidence | None, world: World) -> Verdict:
    """Return how ``endpoint`` stands as a ``kind``, by what was last found there."""
    if evidence is None:
        return Verdict(endpoint, Status.STALE, False, None)
    finding = evidence.finding
    seen = replace(endpoint, reachable=finding.alive, latency_ms=finding.latency_ms)
    if not finding.alive:
        status, verified = Status.UNREACHABLE, False
    elif finding.kind == kind:
        status, verified = finding.status, True
    elif finding.kind is None and (kind == UNKNOWN_KIND or finding.status is not Status.ONLINE):
        status, verified = finding.status, False
    elif _login_hides_kind(finding, world) and finding.family == world.family(kind):
        status, verified = Status.LOCKED, False
    else:
        status, verified = Status.MISMATCH, False
    return Verdict(seen, status, verified, evidence)


def kinds_of(standing: Sequence[Evidence], looked: Looked, world: World) -> list[str]:
    """Return of what kind each piece of evidence speaks.

    Some leaves it open: a claim without a kind that nobody could look at yet, a server that only says 503, a
    login. Then it is what other evidence at the same place says, if that does not contradict what was found.
    """
    own = [_own_kind(item, looked, world) for item in standing]
    if None not in own:
        return [kind for kind in own if kind is not None]
    kinds = dict(enumerate(own))
    for part in partition(range(len(standing)), lambda i: _places(standing[i], world)):
        told = sorted({(_claim_rank(standing[i], kind, looked), kind) for i in part if (kind := own[i]) is not None})
        for i in part:
            if own[i] is None:
                kinds[i] = next((kind for _, kind in told if _fits(standing[i], kind, looked, world)), None)
    return [kinds[i] or _guess(item, looked) for i, item in enumerate(standing)]


def _own_kind(item: Evidence, looked: Looked, world: World) -> str | None:
    """Return the kind that a claim names, or else that was proven at its endpoints; None leaves it open."""
    announcement = item.announcement
    if announcement.finding is None and announcement.kind not in (None, UNKNOWN_KIND):
        return announcement.kind
    found = (e for e in _looks(item, looked) if not _login_hides_kind(e.finding, world))
    return next((evidence.kind for evidence in found if evidence.kind), None)


def _guess(item: Evidence, looked: Looked) -> str:
    return next((evidence.kind for evidence in _looks(item, looked) if evidence.kind), UNKNOWN_KIND)


def _looks(item: Evidence, looked: Looked) -> list[Evidence]:
    """Return what was found at the endpoints of ``item``; last itself, if it is a find."""
    found = [looked[e.key] for e in item.announcement.endpoints if e.key in looked]
    return [*found, item] if item.announcement.finding is not None else found


def _places(item: Evidence, world: World) -> frozenset[tuple[str, Key]]:
    path = item.announcement.endpoints[0].path
    return frozenset((path, key) for key in place_keys(item.announcement, world.local))


def _claim_rank(item: Evidence, kind: str, looked: Looked) -> tuple[bool, int]:
    proven = any(evidence.kind == kind for evidence in _looks(item, looked))
    return (not proven, PRECEDENCE[item.announcement.source])


def _fits(item: Evidence, kind: str, looked: Looked, world: World) -> bool:
    verdicts = (judge(kind, endpoint, looked.get(endpoint.key), world) for endpoint in item.announcement.endpoints)
    return all(verdict.status is not Status.MISMATCH for verdict in verdicts)


def _login_hides_kind(finding: Finding, world: World) -> bool:
    """Whether all that shows is the framework's login."""
    vague = finding.kind is None or world.is_framework(finding.kind)
    return finding.status is Status.LOCKED and finding.family is not None and vague
