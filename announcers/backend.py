"""One backend of this machine: what was seen of it, how healthy it is, and what is to be announced of it."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping

from announcers.assignment import Assignment
from announcers.engine import Instance
from announcers.gpu import Gpu
from announcers.health import CHECK_EVERY_S, Health
from announcers.look import Look, Reach, look
from announcers.presence import Presence
from announcers.reasons import firewalled, why_not
from announcers.signing import SIGNATURE_KEYS, Pairs, Signer, Variants
from hybridisco import Finding, Probe, Status, TxtRecord, encode_txt, firewall_rule_against, sidecar_host

log = logging.getLogger(__name__)

TXT_EVERY_S = 10.0  # at most one change of a TXT record in so many seconds: multicast wakes every phone
_RULES_EVERY_S = 60.0  # reading a firewall's rules starts three programs
_STATES = {Status.ONLINE: "ready", Status.BUSY: "busy", Status.STARTING: "starting", Status.LOCKED: "ready"}
_HOW_IT_GOES_ON = "Looked at again every few seconds; Ctrl-C ends."


class Backend:
    """What a sidecar knows of one backend.

    :param service_id: the id that it is announced by.
    :param name: what it is called on the network.
    :param gpu: what the box has, which goes before what the backend itself reports.
    :param found: it was found here rather than named by the user: it is forgotten when it is gone.
    :param signer: signs what is announced.
    :param presence: the port at which clients notice that this sidecar has ended.
    """

    def __init__(
        self,
        job: Assignment,
        service_id: str,
        name: str,
        titles: Mapping[str, str],
        gpu: Gpu | None = None,
        *,
        found: bool = False,
        signer: Signer | None = None,
        presence: Presence | None = None,
    ) -> None:
        self.job = job
        self.id = service_id
        self.found = found
        self.reason: str | None = None
        """Why it must not be announced; None if it may be."""
        self.wanted: Instance | None = None
        """What is to be announced of it now; None for nothing."""
        self.announced: Instance | None = None
        """What is announced of it now."""
        self.name = name
        """Its name as it is announced: with a number, where another machine has the wished one."""
        self.since = time.time()
        """When it was announced, withdrawn or first seen; seconds since the epoch."""
        self._wished = name
        self._titles = titles
        self._gpu = gpu
        self._signer = signer
        self._presence = presence
        self._health = Health()
        self._proven = False
        self._seen: Look | None = None
        self._changed_at = 0.0
        self._closed: str | None = None
        self._asked_at = -_RULES_EVERY_S
        self._said: str | None = None
        self._explained = False

    @property
    def phase(self) -> str:
        """``waiting``, ``announced`` or ``withdrawn``."""
        return self._health.phase.value

    @property
    def gone(self) -> bool:
        """Whether nothing is left of it here, or another program is in its place."""
        seen = self._seen
        if self._health.announced or seen is None or seen.reach is Reach.OFFLINE:  # offline nobody has looked
            return False
        return not self._is_it(seen.finding)

    @property
    def status(self) -> str | None:
        """How it says that it is: ``ready``, ``busy`` or ``starting``; None while it does not answer."""
        finding = self._seen.finding if self._seen else None
        return _STATES.get(finding.status) if finding else None

    async def look(self, probe: Probe, now: float) -> None:
        """Look at it once, at ``now`` in monotonic seconds. An outage of our own network says nothing of its health."""
        job = self.job
        seen = await look(probe, job.kind.id, job.port, job.links(), path=job.path, tls=job.tls, only=job.only)
        self._seen = seen
        self.reason = why_not(job, seen, self._titles)
        if self.reason is None and seen.reach is Reach.LAN:
            self.reason = await self._why_closed(seen, now)
        self._proven = self._proven or self._is_it(seen.finding)
        if seen.reach is not Reach.OFFLINE:
            self._health = self._health.after(self.reason is None)
        if not self._health.announced or seen.reach is Reach.OFFLINE:
            self.wanted = None
        elif seen.finding is not None and self.reason is None:
            self.wanted = self._instance(seen, seen.finding)
        # else: one or two failed checks, in which it stays what it was

    async def _why_closed(self, seen: Look, now: float) -> str | None:
        """Return why the LAN cannot connect although the backend listens for it, if this machine's firewall tells."""
        if now - self._asked_at < (_RULES_EVERY_S if self.announced else CHECK_EVERY_S / 2):
            return self._closed
        self._asked_at = now
        ways = [(link.name, a) for link in self.job.links() for a in link.addresses if str(a.ip) in seen.addresses]
        rule = await firewall_rule_against(self.job.port, ways)
        self._closed = None if rule is None else firewalled(self.job, rule)
        return self._closed

    def due(self, now: float) -> bool:
        """Whether what is wanted differs from what is announced, and may be said by now (monotonic seconds)."""
        old, new = self.announced, self.wanted
        if old is None or new is None or old == new:
            return old != new
        return old.addresses != new.addresses or now - self._changed_at >= TXT_EVERY_S

    def note_announced(self, name: str, now: float) -> None:
        """Remember that what is wanted has been announced, under a name."""
        assert self.wanted is not None
        before, self.announced = self.announced, self.wanted
        self.name, self._changed_at = name, now
        if before is None:
            self.since = time.time()
            where = ", ".join(self.announced.addresses)
            self.say(f"Announced: {name} ({self.job.kind.title}, port {self.job.port}, {where})")
        else:
            self.say(f"Announcement changed: {_difference(before, self.announced)} ({name})")

    def note_withdrawn(self) -> None:
        """Remember that it has been taken off the network."""
        self.announced = None
        self.since = time.time()

    def explain(self) -> None:
        """Say why it is not announced, when that is news."""
        if self.reason:
            self.say(f"Not announced: {self.reason}", "" if self._explained else _HOW_IT_GOES_ON)
            self._explained = True
        elif self.wanted is None and not self._health.announced:
            self.say("It answers again; announced after one more check.")

    def say(self, what: str, note: str = "") -> None:
        """Log a change of state, once."""
        if what != self._said:
            self._said = what
            log.info(
                "%s", f"{what} {note}" if note else what, extra={"backend": self.job.kind.id, "port": self.job.port}
            )

    def _is_it(self, finding: Finding | None) -> bool:
        if finding is None or not finding.alive:
            return False
        # One that is loading, or behind a login, does not say what it is: then it is what it was.
        return finding.kind == self.job.kind.id or (finding.kind is None and self._proven)

    def _instance(self, seen: Look, finding: Finding) -> Instance:
        job = self.job
        told = dict(finding.properties)
        model, vram = told.get("gpu"), told.get("vram_mib")
        if self._gpu is not None:
            model, vram = self._gpu.model, self._gpu.vram_mib
        record = TxtRecord(
            id=self.id,
            kind=job.kind.id,
            version=finding.version,
            path=job.path,
            tls=job.tls,
            auth=None if finding.status is not Status.LOCKED else "login" if job.kind.family == "gradio" else "key",
            state=_STATES.get(finding.status),
            capabilities=finding.capabilities or job.kind.capabilities,
            gpu=model if isinstance(model, str) else None,
            vram=vram if isinstance(vram, int) and vram > 0 else None,
            live=self._presence.port if self._presence else None,
        )
        pairs = encode_txt(record, signed=self._signer is not None)
        links = [tuple(str(a.ip) for a in link.addresses if str(a.ip) in seen.addresses) for link in job.links()]
        said: tuple[Pairs, Variants] = (tuple(pairs.items()), ())
        if self._signer is not None:
            said = self._signer.sign_for_links(pairs, job.port, [link for link in links if link])
        return Instance(
            key=self.id,
            name=self._wished,
            kind=job.kind.id,
            host=f"{sidecar_host(machine_name(), self.id)}.",
            port=job.port,
            addresses=seen.addresses,
            properties=said[0],
            on_links=said[1],
        )


def machine_name() -> str:
    """Return the first label of this machine's host name."""
    return socket.gethostname().partition(".")[0] or "localhost"


def _difference(old: Instance, new: Instance) -> str:
    before, after = dict(old.properties), dict(new.properties)
    told = sorted((before | after).keys() - SIGNATURE_KEYS)
    changed = [f"{key}={after.get(key, '')}" for key in told if before.get(key) != after.get(key)]
    if old.addresses != new.addresses:
        changed.append(f"addresses {', '.join(new.addresses)}")
    return ", ".join(changed) or "nothing"
