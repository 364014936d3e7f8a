"""One service as it is kept, and as it is claimed again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hybridisco.core.model import Announcement, Endpoint, Service, SourceName, Trust

ENDPOINT_LIMIT = 4  # of one service: two of each family
REMEMBERED = "recalled "
"""What the ref of a claim begins with that is only remembered; the entry's own follows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A service that was announced, and answered as what it is.

    Times are whole seconds since the epoch: ``since`` it is known, ``seen_at`` it has last answered. ``missed`` counts
    days on which it was looked for in vain, the last one noted at ``missed_at``. ``key`` is that of its owner, in
    base64, if it was signed. ``live`` is the port at which its sidecar greets, if it has one.
    """

    kind: str
    endpoints: tuple[Endpoint, ...]
    id: str | None = None
    name: str | None = None
    host: str | None = None
    version: str | None = None
    capabilities: tuple[str, ...] = ()
    key: str | None = None
    live: int | None = None
    since: int = 0
    seen_at: int = 0
    missed: int = 0
    missed_at: int = 0

    @property
    def ref(self) -> str:
        """What tells it from others: its id, or where it is."""
        first = self.endpoints[0]
        return self.id or f"{self.kind}@{first.dial}:{first.port}{first.path.rstrip('/')}"

    def announcement(self) -> Announcement:
        """Return the claim that it is where it was."""
        return Announcement(
            SourceName.PROBE,
            ref=f"{REMEMBERED}{self.ref}",
            endpoints=self.endpoints,
            kind=self.kind,
            id=self.id,
            name=self.name,
            host=self.host,
            version=self.version,
            capabilities=self.capabilities,
            signer=self.key,
            live=self.live,
            recalled=True,
        )


def entry_of(service: Service, announcement: Announcement, now: float) -> Entry | None:
    """Return what is kept of a service that ``announcement`` speaks for; None if it is not worth it, or not proven.

    What the user wrote down stands in his settings, and of two clones nobody knows which is meant.
    """
    proven = service.verified and service.alive and service.trust is not Trust.UNTRUSTED
    is_clone = announcement.id not in (None, service.id)
    if not proven or is_clone or SourceName.MANUAL in service.sources:
        return None
    own = {endpoint.key for endpoint in announcement.endpoints}
    answering = [e for e in service.endpoints if e.reachable and e.key in own][:ENDPOINT_LIMIT]
    if not answering:
        return None
    return Entry(
        kind=service.kind,
        endpoints=tuple(Endpoint(e.address, e.port, e.tls, e.path, interface=e.interface) for e in answering),
        id=announcement.id,
        name=announcement.name,
        host=announcement.host,
        version=announcement.version,
        capabilities=announcement.capabilities,
        key=announcement.signer,
        live=announcement.live,
        since=int(now),
        seen_at=int(now),
    )
