"""Evidence in, services out.

The registry holds a set of :class:`Evidence`; services are a pure function of that set, the time and what is
known of this machine. So it does not matter in which order evidence came, and every rule is here:

1. Evidence that shares a key (:mod:`.identity`) is connected; :func:`services_of` looks at one such component.
2. Inside, *standing* evidence (mDNS, manual, a scan) is grouped by kind and base path: two kinds at one port are
   two services, of which at most one can be right. Evidence that leaves its kind open joins a kind that is claimed
   at its place (:mod:`.verdict`).
3. Evidence in one group with one id but at several places: if it answers at one of them at most, the others are
   old traces of it; if it answers at several, it is a clone, and each place is a service of its own.
4. Fields are taken in the order manual > verified probe > TXT > guess.
5. An announcement that may not speak for its id (:mod:`.trust`) has no part in the service it names: it is a warning
   there, or, where nobody else speaks of its place, a service of its own that is ``untrusted``.
6. Time and our own network have their part (:mod:`.fade`): what is silent is ``stale``, then gone.
7. What is only remembered makes a service where its kind was found again, and none that has an owner: whoever answers
   there now may be another.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hybridisco.core import problems
from hybridisco.core.evidence import EndpointKey, Evidence, World, latest_findings
from hybridisco.core.fade import as_reached, faded, life_at, why_stale
from hybridisco.core.identity import Key, derived_id, is_local, machine, partition, place_keys, shown_host
from hybridisco.core.liveness import State
from hybridisco.core.model import (
    ALIVE,
    UNKNOWN_KIND,
    Announcement,
    Endpoint,
    Finding,
    Proof,
    Properties,
    Service,
    SourceName,
    Status,
    Trust,
    address_rank,
    status_rank,
)
from hybridisco.core.verdict import PRECEDENCE, Looked, Verdict, judge, kinds_of

_UNKNOWN = "Something"  # the title of what nobody knows


def services_of(component: Iterable[Evidence], world: World, now: float) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Return the services that connected evidence speaks of, and warnings about them."""
    evidence = sorted(component, key=lambda e: e.announcement.key)
    looked = latest_findings(evidence)
    every = [item for item in evidence if item.announcement.standing and item.announcement.endpoints]
    standing = [item for item in every if world.trust(item.announcement) is not Trust.UNTRUSTED]
    services: list[Service] = []
    warnings: list[str] = []
    for kind, path, same in _groups(standing, looked, world, now):
        for part, warning in _split_clones(same, kind, looked, world):
            service = _fuse(part, kind, path, looked, world, now, warning)
            if service is not None:
                services.append(service)
                warnings.extend([warning] if warning else [])
    services = _with_unique_ids(services)
    if len(every) > len(standing):
        _add_untrusted([e for e in every if e not in standing], standing, services, warnings, looked, world, now)
    return tuple(services), tuple(dict.fromkeys(warnings))


def _groups(
    standing: Sequence[Evidence], looked: Looked, world: World, now: float
) -> Iterator[tuple[str, str, list[Evidence]]]:
    """Yield what may be one service each: a kind, a base path, and connected evidence."""
    groups: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for item, kind in zip(standing, kinds_of(standing, looked, world), strict=True):
        groups[kind, item.announcement.endpoints[0].path].append(item)
    for (kind, path), members in sorted(groups.items()):
        for same in partition(members, lambda e: world.keys(e.announcement)):
            for part in _by_owner(same, world, now):
                yield kind, path, part


def _by_owner(members: list[Evidence], world: World, now: float) -> list[list[Evidence]]:
    """Return connected evidence apart where several ids with known keys claim one place: each speaks for itself only.

    What nobody has a key for goes with the one that was there first.
    """
    owner = {id(e): e.announcement.id for e in members if world.trust(e.announcement) is Trust.PINNED}
    if len(set(owner.values())) < 2:
        return [members]

    def rank(item: Evidence) -> tuple[object, ...]:
        gone = life_at(item, world, now).state is State.GONE
        return (id(item) not in owner, gone, item.first_at, item.announcement.key)

    first = min(members, key=rank)
    parts: dict[str | None, list[Evidence]] = defaultdict(list)
    for item in members:
        parts[owner.get(id(item), first.announcement.id)].append(item)
    return list(parts.values())


def _add_untrusted(
    foreign: Sequence[Evidence],
    standing: Sequence[Evidence],
    services: list[Service],
    warnings: list[str],
    looked: Looked,
    world: World,
    now: float,
) -> None:
    """Add what comes of announcements that may not speak for their id: a warning, or a service of its own."""
    taken = {key for item in standing for key in place_keys(item.announcement, world.local)}
    for kind, path, same in _groups(foreign, looked, world, now):
        claim = _by_precedence(same)[0]
        if any(key in taken for item in same for key in place_keys(item.announcement, world.local)):
            if all(_is_said_anew(item, standing, world) for item in same):
                continue  # two sidecars of one machine that share a key: one of them is always out of date
            warnings.append(problems.impostor(claim.name or claim.ref, [_machine_and_port(same, world)]))
            continue
        service = _fuse(same, kind, path, looked, world, now, None)
        if service is not None:
            why = problems.untrusted(service.name, claim, pinned=claim.id in world.pins)
            place = derived_id(
                kind, machine([e.announcement for e in same], world.local), service.endpoints[0].port, path
            )
            services.append(
                replace(
                    service,
                    id=f"{claim.id or kind}~{place}",
                    status=Status.UNTRUSTED,
                    problem=why,
                    verified=False,
                    trust=Trust.UNTRUSTED,
                )
            )


def _split_clones(
    members: list[Evidence], kind: str, looked: Looked, world: World
) -> list[tuple[list[Evidence], str | None]]:
    """Return the parts of ``members`` that are services of their own, each with a warning if it is a clone."""

    def places(evidence: Evidence) -> frozenset[Key]:
        return place_keys(evidence.announcement, world.local)

    def answers(part: list[Evidence]) -> bool:
        endpoints = {e.key: e for item in part for e in item.announcement.endpoints}
        return any(judge(kind, e, looked.get(key), world).status in ALIVE for key, e in endpoints.items())

    parts = partition(members, places)
    answering = [part for part in parts if answers(part)]
    if len(answering) <= 1:
        return [(members, None)]
    ids = Counter(i for part in answering for i in {item.announcement.id for item in part if item.announcement.id})
    claimed = min(ids, key=lambda i: (-ids[i], i))
    warning = problems.clone(claimed, sorted(_machine_and_port(part, world) for part in answering))
    return [(part, warning) for part in parts]


def _machine_and_port(members: Sequence[Evidence], world: World) -> str:
    announcements = [item.announcement for item in members]
    return f"{machine(announcements, world.local)}:{min(a.endpoints[0].port for a in announcements)}"


def _with_unique_ids(services: list[Service]) -> list[Service]:
    """Tell services apart that claim one id: clones, or two kinds announced under one id."""
    count: dict[str, int] = defaultdict(int)
    for service in services:
        count[service.id] += 1
    return [
        replace(s, id=f"{s.id}~{derived_id(s.kind, e.dial or s.host, e.port, e.path)}") if count[s.id] > 1 else s
        for s in services
        for e in s.endpoints[:1]
    ]


def _fuse(
    members: Sequence[Evidence],
    kind: str,
    path: str,
    looked: Looked,
    world: World,
    now: float,
    warning: str | None,
) -> Service | None:
    """Return the one service that ``members`` speak of, or None when it is gone."""
    members = _believed(members, world, now)
    said = _by_precedence(members)
    own = _places_of_the_user(members)
    verdicts = sorted(
        (as_reached(judge(kind, e, looked.get(e.key), world), world) for e in _endpoints(said)),
        # Of two addresses that are as good as each other the one that was known first: a newcomer may be a forgery.
        key=lambda v: (
            bool(own) and v.endpoint.key not in own,
            status_rank(v.status),
            address_rank(v.endpoint),
            _known_since(v),
            v.endpoint.key,
        ),
    )
    best = verdicts[0]
    status = faded(best, verdicts, members, world, now)
    sources = {_told_by(item.announcement) for item in members}
    if status is None and SourceName.MANUAL not in sources:
        return None
    if all(item.announcement.recalled for item in members) and not _found_again(members, best, kind, world):
        return None
    status = status or Status.UNREACHABLE
    finding = best.evidence.finding if best.evidence else None
    if best.verified or (finding and finding.alive and status is not Status.MISMATCH):
        sources.add(SourceName.PROBE)
    endpoints = tuple(v.endpoint for v in verdicts)
    machine_name = machine([item.announcement for item in members], world.local)
    host = shown_host(next((a.host for a in said if a.host), machine_name))
    verified = finding if best.verified else None
    return Service(
        id=min((a.id for a in said if a.id), default=None) or derived_id(kind, machine_name, best.endpoint.port, path),
        kind=kind,
        name=next((a.name for a in said if a.name), _default_name(kind, host, best.endpoint.port, world)),
        host=host,
        endpoints=endpoints,
        status=status,
        problem=_problem(status, best, kind, world, warning),
        verified=best.verified and status is not Status.STALE,
        version=(verified and verified.version) or next((a.version for a in said if a.version), None),
        capabilities=_capabilities(kind, verified, said, world),
        properties=_properties(said, finding, status),
        sources=tuple(name for name in SourceName if name in sources),
        latency_ms=endpoints[0].latency_ms,
        first_seen=min(item.first_at for item in members),
        last_seen=_last_seen(members, _evidence(verdicts)),
        trust=min((_trust(item.announcement, world) for item in members), key=list(Trust).index),
    )


def _is_said_anew(item: Evidence, standing: Sequence[Evidence], world: World) -> bool:
    """Whether the owner of an id has said this, and stands there now with something newer."""
    said = item.announcement
    if said.proof is not Proof.OUTDATED or said.signer != world.pins.get(said.id or ""):
        return False
    own = set(place_keys(said, world.local))
    newer = (e.announcement for e in standing if world.trust(e.announcement) is Trust.PINNED)
    return any(each.id == said.id and own & set(place_keys(each, world.local)) for each in newer)


def _told_by(announcement: Announcement) -> SourceName:
    """Return which source says so; what is only remembered was said by mDNS."""
    return SourceName.MDNS if announcement.recalled else announcement.source


def _trust(announcement: Announcement, world: World) -> Trust:
    """Return what an announcement is worth; one that is only remembered no more than one without a signature."""
    return world.trust(replace(announcement, source=SourceName.MDNS) if announcement.recalled else announcement)


def _believed(members: Sequence[Evidence], world: World, now: float) -> Sequence[Evidence]:
    """Leave out what is announced without a key beside what a known key says: anybody can name a place of his own.

    Not so when whoever has that key is gone: another machine may have got its address.
    """
    trust = [world.trust(item.announcement) for item in members]
    here = [
        each for item, each in zip(members, trust, strict=True) if life_at(item, world, now).state is not State.GONE
    ]
    if Trust.PINNED not in here:
        return [item for item, each in zip(members, trust, strict=True) if each is not Trust.PINNED] or members
    return [
        item
        for item, each in zip(members, trust, strict=True)
        if each is Trust.PINNED or item.announcement.source is not SourceName.MDNS
    ]


def _found_again(members: Sequence[Evidence], best: Verdict, kind: str, world: World) -> bool:
    """Whether a look has proven what is only remembered, and it may be shown without its owner's word."""
    proven = best.evidence is not None and best.evidence.kind == kind
    return proven and not any(world.has_owner(item.announcement) for item in members)


def _places_of_the_user(members: Sequence[Evidence]) -> frozenset[EndpointKey]:
    """Return the places that the user wrote down, which go before those that just anybody adds to them."""
    written = (item.announcement for item in members if item.announcement.source is SourceName.MANUAL)
    return frozenset(e.key for a in written for e in a.endpoints if e.address)


def _known_since(verdict: Verdict) -> float:
    return verdict.evidence.first_at if verdict.evidence else math.inf


def _default_name(kind: str, host: str, port: int, world: World) -> str:
    """Return how a service is called that nobody has named: by its place while nobody knows what it is."""
    if kind == UNKNOWN_KIND:
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{world.title(kind)} on {host}"


def _by_precedence(members: Sequence[Evidence]) -> list[Announcement]:
    """Return the announcements, those whose words count most first."""
    return sorted((item.announcement for item in members), key=lambda a: (PRECEDENCE[a.source], a.ref))


def _evidence(verdicts: Sequence[Verdict]) -> list[Evidence]:
    return [v.evidence for v in verdicts if v.evidence]


def _last_seen(members: Sequence[Evidence], looked: Sequence[Evidence]) -> float:
    first = min(item.first_at for item in members)
    return max([first, *(item.ok_at for item in (*members, *looked) if item.ok_at is not None)])


def _endpoints(announcements: Sequence[Announcement]) -> list[Endpoint]:
    """Return each endpoint once, with what the first announcement that knows more says of it."""
    merged: dict[EndpointKey, Endpoint] = {}
    for announcement in announcements:
        for endpoint in announcement.endpoints:
            known = merged.setdefault(endpoint.key, endpoint)
            host, interface = known.host or endpoint.host, known.interface or endpoint.interface
            if (host, interface) != (known.host, known.interface):
                merged[endpoint.key] = replace(known, host=host, interface=interface)
    return list(merged.values())


def _problem(status: Status, best: Verdict, kind: str, world: World, warning: str | None) -> str | None:
    endpoint, title = best.endpoint, _UNKNOWN if kind == UNKNOWN_KIND else world.title(kind)
    finding = best.evidence.finding if best.evidence else None
    if status is Status.STALE:
        return why_stale(best, world)
    if status is Status.UNREACHABLE and finding:
        local = is_local(endpoint, world.local)
        return problems.explain(finding.cause, endpoint, world.kinds.get(kind), local=local)
    if status is Status.MISMATCH and finding:
        found = world.title(finding.kind) if finding.kind else None
        return problems.mismatch(title, finding, found, endpoint)
    if status is Status.LOCKED:
        return problems.locked(title, endpoint)
    if status is Status.STARTING:
        return problems.starting(title, endpoint, finding.cause if finding else None)
    return warning


def _capabilities(kind: str, verified: Finding | None, said: Sequence[Announcement], world: World) -> tuple[str, ...]:
    if verified and verified.capabilities:
        return verified.capabilities
    told = next((a.capabilities for a in said if a.capabilities), ())
    return told or (world.kinds[kind].capabilities if kind in world.kinds else ())


def _properties(said: Sequence[Announcement], finding: Finding | None, status: Status) -> Properties:
    """Return the properties of all evidence by name; what counts most goes last and wins."""
    told = [a.properties for a in reversed(said)]
    if finding and status is not Status.MISMATCH:
        told.append(finding.properties)
    return tuple(sorted({name: value for properties in told for name, value in properties}.items()))
