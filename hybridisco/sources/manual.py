"""What the user wrote down: entries of the config file and of ``hybridisco add``. Always shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from hybridisco.config import ManualEntry
from hybridisco.core.kind import Kind
from hybridisco.core.model import Announcement, Endpoint, SourceName, SourceState, Withdrawal
from hybridisco.core.ports import Sink
from hybridisco.sources.resolve import resolve

_RESOLVE_EVERY_S = 30.0  # a name may move to another address (DHCP)


class ManualSource:
    """Announces each entry at the addresses that its host has now.

    :param kinds: for the usual port of a kind, where an entry names none.
    """

    name = SourceName.MANUAL

    def __init__(self, entries: Sequence[ManualEntry], kinds: Sequence[Kind] = ()) -> None:
        self._entries = tuple(entries)
        self._ports = {kind.id: kind.ports[0] for kind in kinds if kind.ports}
        self._settled = asyncio.Event()
        self._wake = asyncio.Event()

    @property
    def state(self) -> SourceState:
        """Running until every name was looked up."""
        return SourceState("ok" if self._settled.is_set() else "running")

    async def settled(self) -> None:
        """Return when every entry was announced."""
        await self._settled.wait()

    def set_entries(self, entries: Sequence[ManualEntry]) -> None:
        """Announce these from now on, and take back the others."""
        self._entries = tuple(entries)
        self.rescan()

    def rescan(self) -> None:
        """Look all names up again now."""
        self._settled.clear()
        self._wake.set()

    async def run(self, sink: Sink) -> None:
        """Announce the entries, and follow their names, until cancelled."""
        said: dict[str, Announcement] = {}
        while True:
            self._wake.clear()
            entries = self._entries
            for ref in said.keys() - {entry.url for entry in entries}:
                del said[ref]
                sink.emit(Withdrawal(SourceName.MANUAL, ref))
            async with asyncio.TaskGroup() as group:  # a name server that is slow about one holds up no other
                for entry in entries:
                    group.create_task(self._announce(entry, said, sink))
            if not self._wake.is_set():
                self._settled.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_RESOLVE_EVERY_S):
                    await self._wake.wait()

    async def _announce(self, entry: ManualEntry, said: dict[str, Announcement], sink: Sink) -> None:
        """Announce an entry, if that is news."""
        announcement = await self._announcement(entry)
        if said.get(announcement.ref) != announcement:
            said[announcement.ref] = announcement
            sink.emit(announcement)

    async def _announcement(self, entry: ManualEntry) -> Announcement:
        target = entry.target
        port = target.port or self._ports.get(entry.kind or "") or (443 if target.tls else 80)
        addresses = await resolve(target.host, target.zone)
        name = None if target.is_address or target.host == "localhost" else target.host
        endpoints = tuple(
            Endpoint(address, port, target.tls, target.path, host=name, interface=zone) for address, zone in addresses
        )
        if not endpoints and target.is_address:  # its zone is no interface of this machine, now
            endpoints = (Endpoint(target.host, port, target.tls, target.path, interface=target.zone),)
        return Announcement(
            SourceName.MANUAL,
            ref=entry.url,
            endpoints=endpoints or (Endpoint("", port, target.tls, target.path, host=target.host),),
            kind=entry.kind,
            name=entry.name,
            host=target.host,
        )
