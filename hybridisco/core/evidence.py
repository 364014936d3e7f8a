"""Evidence: an announcement and what time did to it, and the world in which it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hybridisco.core import problems, trust
from hybridisco.core.identity import Key, keys
from hybridisco.core.kind import Kind, Tier
from hybridisco.core.liveness import Life, Sign
from hybridisco.core.model import Announcement, Endpoint, Finding, SourceName, Status, Trust

EndpointKey = tuple[str, int, bool, str]


NEWBORN = Life()


@dataclass(frozen=True, slots=True)
class Evidence:
    """An announcement, and what time did to it. Times are seconds of one clock that never goes back.

    ``kind`` is what a probe last proved here: a program that hangs or restarts is still what it was. ``life`` is that
    of the endpoint which was looked at, or else of whoever announced it.
    """

    announcement: Announcement
    first_at: float
    at: float
    ok_at: float | None = None
    life: Life = NEWBORN
    kind: str | None = None

    @property
    def finding(self) -> Finding:
        """What the probe found. Only to be asked of a probe's evidence."""
        finding = self.announcement.finding
        assert finding is not None, "only probe evidence is looked at"
        return finding


@dataclass(frozen=True, slots=True)
class World:
    """What is known beside the evidence: the kinds, this machine's network, and whose keys we know.

    ``lost`` are interfaces that carry nothing now; ``offline``: none does. ``doubted``: several machines fell silent
    together. ``pins`` are the keys by id, and ``trust_mode`` says how they are used.
    """

    kinds: Mapping[str, Kind]
    local: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    offline: bool = False
    doubted: bool = False
    pins: Mapping[str, str] = field(default_factory=dict)
    trust_mode: str = trust.FIRST_USE

    def title(self, kind: str) -> str:
        """Return a kind's name for people."""
        return self.kinds[kind].title if kind in self.kinds else kind

    def family(self, kind: str) -> str | None:
        """Return the framework that a kind is built on."""
        return self.kinds[kind].family if kind in self.kinds else None

    def is_framework(self, kind: str) -> bool:
        """Whether a kind only says with what a program was built."""
        return kind in self.kinds and self.kinds[kind].tier == Tier.FRAMEWORK

    def cut_off(self, endpoint: Endpoint) -> bool:
        """Whether the way to an endpoint of another machine is interrupted at our end."""
        if endpoint.interface is None:
            return self.offline
        return endpoint.interface in self.lost

    def trust(self, announcement: Announcement) -> Trust:
        """Return whether an announcement may speak for its id."""
        return trust.judge(announcement, self.pins, self.trust_mode)

    def has_owner(self, recalled: Announcement) -> bool:
        """Whether what is only remembered is to be said again by its owner before it is shown under its name."""
        return trust.has_owner(recalled, self.pins, self.trust_mode)

    def keys(self, announcement: Announcement) -> frozenset[Key]:
        """Return by what an announcement is connected to others."""
        return keys(announcement, self.local, by_id=self.trust(announcement) is not Trust.UNTRUSTED)


def renew(old: Evidence | None, announcement: Announcement, now: float) -> Evidence:
    """Return the evidence after ``announcement`` took the place of what it said before."""
    first_at = old.first_at if old else now
    life = old.life if old else NEWBORN
    finding = announcement.finding
    if finding is None:
        # What the user wrote down, or what is remembered, is no sign of life.
        if announcement.source is SourceName.MANUAL or announcement.recalled:
            return Evidence(announcement, first_at, now)
        sign = Sign.FAILED if announcement.unattended else Sign.ANSWERED
        seen_at = (old.ok_at if old else None) if announcement.unattended else now
        return Evidence(announcement, first_at, now, ok_at=seen_at, life=life.after(sign, now))
    replaced = finding.status is Status.ONLINE  # something else answers there, and well: forget what it was
    kind = finding.kind or (old.kind if old and not replaced else None)
    if finding.alive:
        return Evidence(announcement, first_at, now, now, life.after(Sign.ANSWERED, now), kind)
    hangs = finding.cause == problems.SILENT and kind is not None
    return Evidence(
        announcement, first_at, now, old.ok_at if old else None, life.after(Sign.FAILED, now, hangs=hangs), kind
    )


def latest_findings(evidence: Sequence[Evidence]) -> dict[EndpointKey, Evidence]:
    """Return the newest probe evidence for each endpoint."""
    latest: dict[EndpointKey, Evidence] = {}
    for item in evidence:
        if item.announcement.finding is not None:
            for endpoint in item.announcement.endpoints:
                old = latest.get(endpoint.key)
                if old is None or item.at > old.at:
                    latest[endpoint.key] = item
    return latest
