"""The sidecar: look at one backend every few seconds, and keep its announcement true."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import time
from pathlib import Path

from announcers.assignment import Assignment
from announcers.engine import Engine, Instance
from announcers.health import CHECK_EVERY_S, Health
from announcers.identity import service_id
from announcers.look import Look, look
from announcers.reasons import why_not
from hybridisco import (
    Finding,
    Kind,
    NetworkInterface,
    Probe,
    Status,
    TxtRecord,
    encode_txt,
    sidecar_host,
)

log = logging.getLogger(__name__)

_TXT_EVERY_S = 10.0  # at most one change of a TXT record in so many seconds: multicast wakes every phone
_STATES = {Status.ONLINE: "ready", Status.BUSY: "busy", Status.STARTING: "starting", Status.LOCKED: "ready"}
_HOW_IT_GOES_ON = "Looked at again every few seconds; Ctrl-C ends."


class Sidecar:
    """Announces one backend by health until it is stopped.

    :param state: the folder in which ids are kept.
    """

    def __init__(self, assignment: Assignment, kinds: tuple[Kind, ...], state: Path) -> None:
        self._assignment = assignment
        self._probe = Probe(kinds)
        self._titles = {kind.id: kind.title for kind in kinds}
        self._id = service_id(state, assignment.kind.id, assignment.port)
        self._health = Health()
        self._engine: Engine | None = None
        self._announced: Instance | None = None
        self._name = ""  # as announced: with a number, where another has the wished one
        self._changed_at = 0.0
        self._said: str | None = None
        self._explained = False

    async def run(self) -> None:
        """Look and announce until cancelled; then say goodbye."""
        log.info("Looking at %s on port %d …", self._assignment.kind.title, self._assignment.port)
        try:
            while True:
                await self.step()
                # The random part keeps the sidecars of a studio that was switched on at once out of step.
                await asyncio.sleep(CHECK_EVERY_S * random.uniform(0.9, 1.1))
        finally:
            await asyncio.shield(self.close())

    async def step(self) -> None:
        """Look once, and announce, change or withdraw accordingly."""
        job = self._assignment
        interfaces = job.links()
        seen = await look(self._probe, job.kind.id, job.port, interfaces, path=job.path, tls=job.tls, only=job.only)
        reason = why_not(job, seen, self._titles)
        self._health = self._health.after(reason is None)
        if self._health.announced and seen.finding is not None and reason is None:
            await self._announce(self._instance(seen, seen.finding), interfaces)
        elif not self._health.announced:
            if self._announced is not None:
                await self._withdraw()
                self._say(f"Withdrawn: {self._name}")
            if reason:
                self._say(f"Not announced: {reason}", "" if self._explained else _HOW_IT_GOES_ON)
                self._explained = True
            else:
                self._say("It answers again; announced after one more check.")

    async def close(self) -> None:
        """Say goodbye and close everything."""
        farewell = "Stopped."
        if self._announced is not None:
            await self._withdraw()
            farewell = f"Withdrawn: {self._name}; goodbye."
        elif self._engine is not None:  # stopped while a name was being agreed on
            await self._engine.close()
        await self._probe.close()
        self._say(farewell)

    def _instance(self, seen: Look, finding: Finding) -> Instance:
        job = self._assignment
        properties = dict(finding.properties)
        gpu, vram = properties.get("gpu"), properties.get("vram_mib")
        record = TxtRecord(
            id=self._id,
            kind=job.kind.id,
            version=finding.version,
            path=job.path,
            tls=job.tls,
            auth=None if finding.status is not Status.LOCKED else "login" if job.kind.family == "gradio" else "key",
            state=_STATES.get(finding.status),
            capabilities=finding.capabilities or job.kind.capabilities,
            gpu=gpu if isinstance(gpu, str) else None,
            vram=vram if isinstance(vram, int) and vram > 0 else None,
        )
        host = socket.gethostname().partition(".")[0] or "localhost"
        return Instance(
            name=job.name or f"{job.kind.title} on {host}",
            kind=job.kind.id,
            host=f"{sidecar_host(host, self._id)}.",
            port=job.port,
            addresses=seen.addresses,
            properties=tuple(encode_txt(record).items()),
        )

    async def _announce(self, instance: Instance, interfaces: tuple[NetworkInterface, ...]) -> None:
        if instance == self._announced:
            return
        now = time.monotonic()
        if self._engine is None:
            self._engine = Engine(_links(interfaces, instance))
        if self._announced is None:
            self._name = await self._engine.announce(instance)
            where = ", ".join(instance.addresses)
            self._say(f"Announced: {self._name} ({self._assignment.kind.title}, port {instance.port}, {where})")
        elif self._announced.addresses == instance.addresses and now - self._changed_at < _TXT_EVERY_S:
            return  # soon enough; the change is seen again at the next look
        else:
            if self._announced.addresses != instance.addresses:
                await self._engine.move(_links(interfaces, instance))
            await self._engine.update(instance)
            self._say(f"Announcement changed: {_difference(self._announced, instance)}")
        self._announced, self._changed_at = instance, now

    async def _withdraw(self) -> None:
        """Say goodbye and close the sockets: when the backend returns, the network may be another one."""
        assert self._announced is not None
        assert self._engine is not None
        instance, self._announced = self._announced, None
        engine, self._engine = self._engine, None
        await engine.withdraw(instance)
        await engine.close()

    def _say(self, what: str, note: str = "") -> None:
        """Log a change of state, once."""
        if what != self._said:
            self._said = what
            log.info("%s", f"{what} {note}" if note else what)


def _links(interfaces: tuple[NetworkInterface, ...], instance: Instance) -> tuple[NetworkInterface, ...]:
    """Return the interfaces on which the instance can be reached: on the others nobody need hear of it."""
    return tuple(i for i in interfaces if any(str(address.ip) in instance.addresses for address in i.addresses))


def _difference(old: Instance, new: Instance) -> str:
    before, after = dict(old.properties), dict(new.properties)
    changed = [f"{key}={after.get(key, '')}" for key in sorted(before | after) if before.get(key) != after.get(key)]
    if old.addresses != new.addresses:
        changed.append(f"addresses {', '.join(new.addresses)}")
    return ", ".join(changed) or "nothing"
