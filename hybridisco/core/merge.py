"""Evidence in, services out.

The registry holds a set of :class:`Evidence`; services are a pure function of that set, the time and what is
known of this machine. So it does not matter in which order evidence came, and every rule is here:

1. Evidence that shares a key (:mod:`.identity`) is connected; :func:`services_of` looks at one such component.
2. Inside, *standing* evidence (mDNS, manual, a scan) is grouped by kind and base path: two kinds at one port are
   two services, of which at most one can be right.
3. Evidence in one group with one id but at several places: if it answers at one of them at most, the others are
   old traces of it; if it answers at several, it is a clone, and each place is a service of its own.
4. Fields are taken in the order manual > verified probe > TXT > guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hybridisco.core import problems
from hybridisco.core.identity import Key, derived_id, is_local, keys, machine, partition, place_keys
from hybridisco.core.kind import Kind
from hybridisco.core.liveness import GONE_AFTER_S
from hybridisco.core.model import (
    UNKNOWN_KIND,
    Announcement,
    Endpoint,
    Finding,
    Service,
    SourceName,
    Status,
    address_rank,
    status_rank,
)

EndpointKey = tuple[str, int, bool, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """An announcement, and what time did to it. Times are seconds since the epoch."""

    announcement: Announcement
    first_at: float
    at: float
    ok_at: float | None = None
    failing_since: float | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class World:
    """What is known beside the evidence: the kinds, and the addresses of this machine."""

    kinds: Mapping[str, Kind]
    local: frozenset[str] = frozenset()

    def title(self, kind: str) -> str:
        """Return a kind's name for people."""
        return self.kinds[kind].title if kind in self.kinds else kind


def renew(old: Evidence | None, announcement: Announcement, now: float) -> Evidence:
    """Return the evidence after ``announcement`` took the place of what it said before."""
    first_at = old.first_at if old else now
    finding = announcement.finding
    if finding is None or finding.alive:
        return Evidence(announcement, first_at, now, ok_at=now)
    return Evidence(
        announcement,
        first_at,
        now,
        ok_at=old.ok_at if old else None,
        failing_since=old.failing_since if old and old.failing_since is not None else now,
        failures=old.failures + 1 if old else 1,
    )


def services_of(component: Iterable[Evidence], world: World, now: float) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Return the services that connected evidence speaks of, and warnings about them."""
    evidence = sorted(component, key=lambda e: e.announcement.key)
    looked = _latest_findings(evidence)
    groups: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for item in evidence:
        if item.announcement.standing and item.announcement.endpoints:
            groups[_kind_of(item.announcement, looked), item.announcement.endpoints[0].path].append(item)
    services: list[Service] = []
    warnings: list[str] = []
    for (kind, path), members in sorted(groups.items()):
        for same in partition(members, lambda e: keys(e.announcement, world.local)):
            for part, warning in _split_clones(same, looked, world):
                service = _fuse(part, kind, path, looked, world, now, warning)
                if service is not None:
                    services.append(service)
                    warnings.extend([warning] if warning else [])
    return tuple(_with_unique_ids(services)), tuple(dict.fromkeys(warnings))


def _latest_findings(evidence: Sequence[Evidence]) -> dict[EndpointKey, Evidence]:
    """Return the newest probe evidence for each endpoint."""
    latest: dict[EndpointKey, Evidence] = {}
    for item in evidence:
        if item.announcement.finding is not None:
            for endpoint in item.announcement.endpoints:
                old = latest.get(endpoint.key)
                if old is None or item.at > old.at:
                    latest[endpoint.key] = item
    return latest


def _kind_of(announcement: Announcement, looked: Mapping[EndpointKey, Evidence]) -> str:
    """Return what an announcement says it is; one that does not say is what answers there."""
    if announcement.finding is not None:
        return announcement.finding.kind or UNKNOWN_KIND
    if announcement.kind is not None:
        return announcement.kind
    found = [_finding(looked[e.key]) for e in announcement.endpoints if e.key in looked]
    return next((finding.kind for finding in found if finding.kind), UNKNOWN_KIND)


def _finding(evidence: Evidence) -> Finding:
    finding = evidence.announcement.finding
    assert finding is not None, "only probe evidence is looked at"
    return finding


def _split_clones(
    members: list[Evidence], looked: Mapping[EndpointKey, Evidence], world: World
) -> list[tuple[list[Evidence], str | None]]:
    """Return the parts of ``members`` that are services of their own, each with a warning if it is a clone."""

    def places(evidence: Evidence) -> frozenset[Key]:
        return place_keys(evidence.announcement, world.local)

    def answers(part: list[Evidence]) -> bool:
        endpoints = [endpoint for item in part for endpoint in item.announcement.endpoints]
        return any(_finding(looked[e.key]).alive for e in endpoints if e.key in looked)

    parts = partition(members, places)
    if sum(map(answers, parts)) <= 1:
        return [(members, None)]
    claimed = min(item.announcement.id for item in members if item.announcement.id)
    machines = sorted(_machine_and_port(part, world) for part in parts)
    return [(part, problems.clone(claimed, machines)) for part in parts]


def _machine_and_port(members: Sequence[Evidence], world: World) -> str:
    announcements = [item.announcement for item in members]
    return f"{machine(announcements, world.local)}:{min(a.endpoints[0].port for a in announcements)}"


def _with_unique_ids(services: list[Service]) -> list[Service]:
    """Tell services apart that claim one id: clones, or two kinds announced under one id."""
    count: dict[str, int] = defaultdict(int)
    for service in services:
        count[service.id] += 1
    return [
        replace(s, id=f"{s.id}~{s.kind}@{s.endpoints[0].dial or s.host}:{s.endpoints[0].port}")
        if count[s.id] > 1
        else s
        for s in services
    ]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How one endpoint stands as the service's kind."""

    endpoint: Endpoint
    status: Status
    verified: bool
    evidence: Evidence | None


def _judge(kind: str, endpoint: Endpoint, evidence: Evidence | None, world: World) -> _Verdict:
    if evidence is None:
        return _Verdict(endpoint, Status.STALE, False, None)
    finding = _finding(evidence)
    seen = replace(endpoint, reachable=finding.alive, latency_ms=finding.latency_ms)
    family = world.kinds[kind].family if kind in world.kinds else None
    if not finding.alive:
        status, verified = Status.UNREACHABLE, False
    elif finding.kind == kind:
        status, verified = finding.status, True
    elif finding.kind is None and (kind == UNKNOWN_KIND or finding.status is not Status.ONLINE):
        status, verified = finding.status, False
    elif finding.status is Status.LOCKED and family is not None and finding.family == family:
        status, verified = Status.LOCKED, False  # the login hides which of the family it is
    else:
        status, verified = Status.MISMATCH, False
    return _Verdict(seen, status, verified, evidence)


def _fuse(
    members: Sequence[Evidence],
    kind: str,
    path: str,
    looked: Mapping[EndpointKey, Evidence],
    world: World,
    now: float,
    warning: str | None,
) -> Service | None:
    """Return the one service that ``members`` speak of, or None when it is gone."""
    said = _by_precedence(members)
    verdicts = sorted(
        (_judge(kind, e, looked.get(e.key), world) for e in _endpoints(said)),
        key=lambda v: (status_rank(v.status), address_rank(v.endpoint), v.endpoint.key),
    )
    best = verdicts[0]
    status = _fade(best, verdicts, now)
    sources = {item.announcement.source for item in members}
    if status is None and SourceName.MANUAL not in sources:
        return None
    status = status or Status.UNREACHABLE
    finding = _finding(best.evidence) if best.evidence else None
    if best.verified or (finding and finding.alive and status is not Status.MISMATCH):
        sources.add(SourceName.PROBE)
    endpoints = tuple(v.endpoint for v in sorted(verdicts, key=lambda v: address_rank(v.endpoint)))
    machine_name = machine([item.announcement for item in members], world.local)
    host = next((a.host for a in said if a.host), machine_name)
    verified = finding if best.verified else None
    return Service(
        id=min((a.id for a in said if a.id), default=None) or derived_id(kind, machine_name, best.endpoint.port, path),
        kind=kind,
        name=next((a.name for a in said if a.name), f"{world.title(kind)} on {host}"),
        host=host,
        endpoints=endpoints,
        status=status,
        problem=_problem(status, best, kind, world, warning),
        verified=best.verified,
        version=(verified and verified.version) or next((a.version for a in said if a.version), None),
        capabilities=_capabilities(kind, verified, said, world),
        properties=tuple(sorted({k: v for source in _properties(said, finding, status) for k, v in source}.items())),
        sources=tuple(name for name in SourceName if name in sources),
        latency_ms=endpoints[0].latency_ms,
        first_seen=min(item.first_at for item in members),
        last_seen=max([t for i in (*members, *_evidence(verdicts)) if (t := i.ok_at)], default=members[0].at),
    )


def _by_precedence(members: Sequence[Evidence]) -> list[Announcement]:
    """Return the announcements, those whose words count most first."""
    order = {SourceName.MANUAL: 0, SourceName.MDNS: 1, SourceName.PROBE: 2}
    return sorted((item.announcement for item in members), key=lambda a: (order[a.source], a.ref))


def _evidence(verdicts: Sequence[_Verdict]) -> list[Evidence]:
    return [v.evidence for v in verdicts if v.evidence]


def _endpoints(announcements: Sequence[Announcement]) -> list[Endpoint]:
    """Return each endpoint once, with what the first announcement that knows more says of it."""
    merged: dict[EndpointKey, Endpoint] = {}
    for announcement in announcements:
        for endpoint in announcement.endpoints:
            known = merged.get(endpoint.key, endpoint)
            merged[endpoint.key] = replace(
                known, host=known.host or endpoint.host, interface=known.interface or endpoint.interface
            )
    return list(merged.values())


def _fade(best: _Verdict, verdicts: Sequence[_Verdict], now: float) -> Status | None:
    """Return the status with time's part in it; None for what answered once and has been silent too long."""
    evidence = _evidence(verdicts)
    if best.status is not Status.UNREACHABLE or not any(item.ok_at is not None for item in evidence):
        return best.status
    silent_since = max(item.failing_since for item in evidence if item.failing_since is not None)
    return Status.STALE if now - silent_since < GONE_AFTER_S else None


def _problem(status: Status, best: _Verdict, kind: str, world: World, warning: str | None) -> str | None:
    endpoint, title = best.endpoint, world.title(kind)
    finding = _finding(best.evidence) if best.evidence else None
    if status is Status.STALE:
        return problems.NETWORK_SILENT if finding else problems.NOT_CHECKED
    if status is Status.UNREACHABLE and finding:
        local = is_local(endpoint, world.local)
        return problems.explain(finding.cause, endpoint, world.kinds.get(kind), local=local)
    if status is Status.MISMATCH and finding:
        found = world.title(finding.kind) if finding.kind else None
        return problems.mismatch(title, finding, found, endpoint)
    if status is Status.LOCKED:
        return problems.locked(title, endpoint)
    return problems.starting(title) if status is Status.STARTING else warning


def _capabilities(kind: str, verified: Finding | None, said: Sequence[Announcement], world: World) -> tuple[str, ...]:
    if verified and verified.capabilities:
        return verified.capabilities
    told = next((a.capabilities for a in said if a.capabilities), ())
    return told or (world.kinds[kind].capabilities if kind in world.kinds else ())


def _properties(said: Sequence[Announcement], finding: Finding | None, status: Status) -> list[tuple]:  # type: ignore[type-arg]
    """Return the properties of all evidence, those that count most last."""
    told = [a.properties for a in reversed(said)]
    return [*told, finding.properties] if finding and status is not Status.MISMATCH else told
