"""Evidence: an announcement and what time did to it, and the world in which it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridisco.core.kind import Kind, Tier
from hybridisco.core.model import Announcement, Finding, SourceName, Status

EndpointKey = tuple[str, int, bool, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """An announcement, and what time did to it. Times are seconds since the epoch.

    ``kind`` is what a probe last proved here: a program that hangs or restarts is still what it was.
    """

    announcement: Announcement
    first_at: float
    at: float
    ok_at: float | None = None
    failing_since: float | None = None
    failures: int = 0
    kind: str | None = None

    @property
    def finding(self) -> Finding:
        """What the probe found. Only to be asked of a probe's evidence."""
        finding = self.announcement.finding
        assert finding is not None, "only probe evidence is looked at"
        return finding


@dataclass(frozen=True, slots=True)
class World:
    """What is known beside the evidence: the kinds, and the addresses of this machine."""

    kinds: Mapping[str, Kind]
    local: frozenset[str] = frozenset()

    def title(self, kind: str) -> str:
        """Return a kind's name for people."""
        return self.kinds[kind].title if kind in self.kinds else kind

    def family(self, kind: str) -> str | None:
        """Return the framework that a kind is built on."""
        return self.kinds[kind].family if kind in self.kinds else None

    def is_framework(self, kind: str) -> bool:
        """Whether a kind only says with what a program was built."""
        return kind in self.kinds and self.kinds[kind].tier == Tier.FRAMEWORK


def renew(old: Evidence | None, announcement: Announcement, now: float) -> Evidence:
    """Return the evidence after ``announcement`` took the place of what it said before."""
    first_at = old.first_at if old else now
    finding = announcement.finding
    if finding is None:
        # An announcement is a sign of life; what the user wrote down is none.
        seen_at = None if announcement.source is SourceName.MANUAL else now
        return Evidence(announcement, first_at, now, ok_at=seen_at)
    replaced = finding.status is Status.ONLINE  # something else answers there, and well: forget what it was
    kind = finding.kind or (old.kind if old and not replaced else None)
    if finding.alive:
        return Evidence(announcement, first_at, now, ok_at=now, kind=kind)
    return Evidence(
        announcement,
        first_at,
        now,
        ok_at=old.ok_at if old else None,
        failing_since=old.failing_since if old and old.failing_since is not None else now,
        failures=old.failures + 1 if old else 1,
        kind=kind,
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
