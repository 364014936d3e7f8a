"""Which endpoints are looked at next, and when. Pure: the evidence and the time come in.

Theory of operation. What announcements claim is put in groups: endpoints of claims that share one are one service's.
Of a service that answers *one* endpoint is looked at each few seconds, the best one; in its place now and then another.
The answer of any tells that it lives, and a failure has all others looked at at once. Where none answers, each is tried
for itself, ever more seldom, and again as soon as anything else that was silent answers: the network may be back.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from hybridisco.core.evidence import EndpointKey, Evidence, World
from hybridisco.core.identity import is_local, partition
from hybridisco.core.liveness import CHECK_EVERY_S, OTHERS_EVERY_S, WATCHED_EVERY_S, State, next_check_after_s
from hybridisco.core.model import Announcement, Check, Endpoint, SourceName, Trust, address_rank

Look = Callable[[EndpointKey], Evidence | None]


@dataclass(frozen=True, slots=True)
class Group:
    """The endpoints of one service, best first, and who claims them."""

    endpoints: tuple[Endpoint, ...]
    keys: frozenset[EndpointKey]
    kind: str | None
    refs: tuple[str, ...]
    manual: bool
    watched: bool
    recalled: bool
    look: Look


def groups_of(
    announcements: Iterable[Announcement],
    look: Look,
    world: World,
) -> tuple[Group, ...]:
    """Return what is claimed.

    What is claimed with a key that is known is its owner's alone: a stranger who names it beside a place of his own,
    which answers, must not hide that it has died.

    :param look: gives the last look at an endpoint.
    """
    claims = [a for a in announcements if (a.source is not SourceName.PROBE or a.recalled) and a.endpoints]
    # The user's own words go first: they may hold the name that the server wants to hear.
    claims.sort(key=lambda a: (a.source is not SourceName.MANUAL, a.ref))
    owned: dict[str, list[Announcement]] = defaultdict(list)
    free: list[Announcement] = []
    for claim in claims:
        own_id = claim.id if world.trust(claim) is Trust.PINNED else None
        (free if own_id is None else owned[own_id]).append(claim)
    of = {endpoint.key: own_id for own_id, same in owned.items() for claim in same for endpoint in claim.endpoints}
    for claim in [each for each in free if each.source is SourceName.MANUAL]:
        own_id = next((of[endpoint.key] for endpoint in claim.endpoints if endpoint.key in of), None)
        if own_id is not None:
            owned[own_id].insert(0, claim)
            free.remove(claim)
    rest = partition(free, lambda a: frozenset(e.key for e in a.endpoints))
    found = [*(_group(same, look) for same in owned.values()), *(_group(same, look, set(of)) for same in rest)]
    return tuple(group for group in found if group.endpoints)


def _group(claims: list[Announcement], look: Look, taken: Container[EndpointKey] = ()) -> Group:
    endpoints: dict[EndpointKey, Endpoint] = {}
    for claim in claims:
        for endpoint in claim.endpoints:
            if endpoint.key not in taken:
                endpoints.setdefault(endpoint.key, endpoint)
    return Group(
        endpoints=tuple(sorted(endpoints.values(), key=address_rank)),
        keys=frozenset(endpoints),
        kind=next((claim.kind for claim in claims if claim.kind), None),
        refs=tuple(claim.ref for claim in claims if claim.source is SourceName.MDNS),
        manual=claims[0].source is SourceName.MANUAL,
        watched=any(claim.watched for claim in claims),
        recalled=all(claim.recalled for claim in claims),
        look=look,
    )


def due_in(groups: Iterable[Group], world: World, now: float, recovered_at: float) -> Iterator[tuple[float, Check]]:
    """Yield the checks that are due at ``now``, each with when it was; ``now`` infinite: all there are.

    :param recovered_at: when something that was silent has answered again.
    """
    for group in groups:
        looks = [(endpoint, group.look(endpoint.key)) for endpoint in group.endpoints]
        if group.recalled and not any(seen and seen.ok_at is not None for _, seen in looks):
            continue  # whether anything is there at all is seen at a lower price first (:mod:`hybridisco.recall`)
        reachable = [
            (e, seen) for e, seen in looks if not world.cut_off(e) or is_local(e, world.local) or now == math.inf
        ]
        alive = [(e, seen) for e, seen in reachable if seen is not None and seen.life.state is State.ALIVE]
        if alive and now != math.inf:
            yield from _due_alive(group, alive, reachable, now)
            continue
        for endpoint, seen in reachable:
            at = 0.0 if seen is None else seen.at + next_check_after_s(seen.life.failures)
            if seen is not None and seen.at < recovered_at:
                at = min(at, recovered_at)
            if at <= now:
                known = group.manual or (seen is not None and seen.ok_at is not None)
                yield at, Check(endpoint, group.kind, known=known)


def _due_alive(
    group: Group,
    alive: list[tuple[Endpoint, Evidence]],
    every: list[tuple[Endpoint, Evidence | None]],
    now: float,
) -> Iterator[tuple[float, Check]]:
    """Yield the one look at a service that answers, if it is time for it."""
    last = max(seen.at for _, seen in alive)
    at = last + (WATCHED_EVERY_S if group.watched else CHECK_EVERY_S)
    if at > now:
        return
    endpoint = alive[0][0]
    oldest, seen = min(every, key=lambda pair: pair[1].at if pair[1] else 0.0)
    if seen is None or now - seen.at >= max(OTHERS_EVERY_S, next_check_after_s(seen.life.failures)):
        endpoint = oldest
    others = tuple(e for e, _ in alive if e.key != endpoint.key)
    yield at, Check(endpoint, group.kind, others)


def doubted(groups: Iterable[Group], world: World) -> bool:
    """Whether several machines fell silent, and none answers: probably it is this one that has lost its network."""
    silent: set[str] = set()
    for group in groups:
        best = group.endpoints[0]  # the same address for all services of a machine
        if is_local(best, world.local):
            continue
        states = {seen.life.state for endpoint in group.endpoints if (seen := group.look(endpoint.key))}
        if State.ALIVE in states:
            return False
        if State.SUSPECT in states:
            silent.add(best.dial)
    return len(silent) > 1
