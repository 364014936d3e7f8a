"""Announcements on the wire: register, update and withdraw DNS-SD instances.

Only this file and :mod:`.responder` know zeroconf here. What it does not do is added in them:

* **Subtypes** (RFC 6763 section 7.1). Its registry answers PTR questions by type, so the same instance is also
  indexed under ``_comfyui._sub._hybridisco._tcp.local.``; our own packets announce and withdraw that pointer.
* **Links** (RFC 6762 section 14): on each only what can be reached there is told.
* **Defence of a name** (section 9). It probes before it announces, but two machines that announce one name at the same
  moment, or that meet when a cable is plugged in, are told of each other: the one whose record is the lesser takes
  another name, the other repeats itself. The id stays.
* **The doctor's question** is answered (:mod:`.echo`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address

from zeroconf import IPVersion, NonUniqueNameException, ServiceInfo
from zeroconf._dns import DNSPointer, DNSService
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _TYPE_PTR

from announcers.responder import Responder, Rivals
from hybridisco import SERVICE_TYPE, AnnounceError, NetworkInterface, zeroconf_choice

log = logging.getLogger(__name__)

_LABEL_LIMIT = 63  # octets (RFC 6763 section 4.1.1)
_TYPE_TTL_S = 4500  # of records that name no host (RFC 6762 section 10)
_AGAIN_S = 1.0  # between two announcements of the same (section 8.3)
_GIVE_WAY_S = 30.0  # at most one new name in so many seconds
_DEFENCES_S = (1.0, 2.0, 1.0)  # pauses after each defence of a name (section 9): no war of packets


@dataclass(frozen=True, slots=True)
class Instance:
    """What is announced: an instance name without its type, where it is, and its TXT record.

    ``key`` tells one from another: the id that stays when everything else changes. ``host`` is a name of its own for
    each backend (ADR 5). ``on_links`` are properties that are said where these addresses are, in the others' place.
    """

    key: str
    name: str
    kind: str
    host: str
    port: int
    addresses: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]
    on_links: tuple[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], ...] = ()


class Engine:
    """One set of sockets, any number of instances.

    :param links: the interfaces to announce on.
    :param renamed: told the key of an instance and its new name, when a rival had the better right to the old one.
    :raises AnnounceError: no socket could be opened.
    """

    def __init__(
        self, links: tuple[NetworkInterface, ...], renamed: Callable[[str, str], None] = lambda key, name: None
    ) -> None:
        try:
            responder = Responder(interfaces=zeroconf_choice(links), ip_version=IPVersion.All)
        except OSError as error:
            raise AnnounceError(
                f"mDNS could not be started ({error.strerror or error}). Probably another program holds UDP port 5353 "
                "for itself. Stop it, or allow this program to use multicast."
            ) from error
        responder.links = links
        responder.async_add_listener(Rivals(self._meet), None)
        self._responder = responder
        self._zeroconf = AsyncZeroconf(zc=responder)
        self._renamed = renamed
        self._infos: dict[str, ServiceInfo] = {}
        self._instances: dict[str, Instance] = {}
        self._defending: set[str] = set()
        self._gave_way_at: dict[str, float] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._repeating: dict[str, asyncio.Future[None]] = {}

    async def announce(self, instance: Instance) -> str:
        """Put an instance on the network; returns its name, with a number if another had taken it (RFC 6762 §9).

        :raises AnnounceError: no free name was found.
        """
        await self._responder.async_wait_for_start()
        info = _info(instance)
        self._place(instance, info)
        try:
            announced = await self._zeroconf.async_register_service(info, allow_name_change=True)
        except NonUniqueNameException as error:
            raise AnnounceError(
                f"No free name like {instance.name!r} was found on the network. Give another with --name."
            ) from error
        self._place(instance, info)  # under the name that it has got
        self._infos[instance.key], self._instances[instance.key] = info, instance
        self._index_subtype(instance, info)
        self._send_subtype(instance, info)
        self._repeat_of(instance.key, announced)
        return _bare(info)

    async def update(self, instance: Instance) -> None:
        """Change what an announced instance says, or where it is."""
        info = _info(instance, self._infos[instance.key].name)
        self._place(instance, info)
        self._infos[instance.key], self._instances[instance.key] = info, instance
        self._index_subtype(instance, info)
        self._send_subtype(instance, info)
        self._repeat_of(instance.key, await self._zeroconf.async_update_service(info))

    async def withdraw(self, instance: Instance) -> None:
        """Take an instance off the network with a goodbye (RFC 6762 section 10.1)."""
        info = self._infos.pop(instance.key, None)
        self._instances.pop(instance.key, None)
        if info is None:
            return
        if (repeating := self._repeating.pop(instance.key, None)) is not None:
            repeating.cancel()  # an announcement after the goodbye would bring it back
        self._send_subtype(instance, info, ttl_s=0)
        self._unindex_subtype(instance, info)
        await (await self._zeroconf.async_unregister_service(info))
        self._displace(info)

    async def move(self, links: tuple[NetworkInterface, ...]) -> None:
        """Speak on another set of interfaces."""
        self._responder.links = links
        await self._responder.async_wait_for_start()
        # Not zeroconf's own, which announces again on every link, one instance after the other.
        await self._responder.engine.async_update_interfaces(zeroconf_choice(links), IPVersion.All, False)

    async def repeat(self) -> None:
        """Announce everything again, twice (RFC 6762 section 8.3): the network has changed."""
        for turn in range(2):
            if turn:
                await asyncio.sleep(_AGAIN_S)
            for key, info in list(self._infos.items()):
                self._responder.async_send(self._responder.generate_service_broadcast(info, None))
                self._send_subtype(self._instances[key], info)

    async def close(self) -> None:
        """Say goodbye for everything and close the sockets."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            for key, info in self._infos.items():
                self._send_subtype(self._instances[key], info, ttl_s=0)
                self._responder.registry.types.pop(_subtype(self._instances[key]), None)
            await self._zeroconf.async_unregister_all_services()
            await self._zeroconf.async_close()
        finally:  # whatever happens: nobody else would close the sockets
            self._responder.engine._async_shutdown()

    # -- whose name is it -----------------------------------------------------------------------------

    def _meet(self, record: DNSService) -> None:
        """Somebody announces a name. If it is ours and they are not us, the greater record keeps it (section 8.2)."""
        for key, info in self._infos.items():
            if record.name.lower() != info.name.lower() or info.server is None:
                continue
            theirs, ours = _weight(record.port or 0, record.server), _weight(info.port or 0, info.server)
            if theirs == ours:
                return
            if theirs > ours:
                self._keep(self._give_way(key))
            else:
                self._keep(self._defend(key))
            return

    def _keep(self, job: Awaitable[None]) -> asyncio.Future[None]:
        """Let something be done in the background, until it is done or the engine is closed."""
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _repeat_of(self, key: str, announced: Awaitable[None]) -> None:
        """Let an announcement be repeated, in the place of an older one; nobody need wait for that."""
        if (before := self._repeating.pop(key, None)) is not None:
            before.cancel()
        self._repeating[key] = self._keep(announced)

    async def _defend(self, key: str) -> None:
        """Say again whose name it is, so that the other one hears of it, and once more when it has given way.

        Whoever listened has heard both, and must hear last who is right.
        """
        if key in self._defending:
            return
        self._defending.add(key)
        try:
            for pause_s in _DEFENCES_S:
                if key not in self._infos:
                    return
                self._responder.async_send(self._responder.generate_service_broadcast(self._infos[key], None))
                await asyncio.sleep(pause_s)
        finally:
            self._defending.discard(key)

    async def _give_way(self, key: str) -> None:
        """Take another name. Without a goodbye: the old name is the other one's now."""
        now = time.monotonic()
        if now - self._gave_way_at.get(key, -_GIVE_WAY_S) < _GIVE_WAY_S:
            return  # somebody who takes each of our names is not answered with ever more of them
        self._gave_way_at[key] = now
        info, instance = self._infos.pop(key, None), self._instances.get(key)
        if info is None or instance is None:
            return
        self._unindex_subtype(instance, info)
        self._responder.registry.async_remove(info)
        self._displace(info)
        with suppress(AnnounceError):
            name = await self.announce(instance)
            log.info("The name %s belongs to another machine; it is %s now.", _bare(info), name)
            self._renamed(key, name)

    # -- what leads where -----------------------------------------------------------------------------

    def _place(self, instance: Instance, info: ServiceInfo) -> None:
        self._responder.places[info.name.lower()] = _packed(instance.addresses)
        self._responder.texts[info.name.lower()] = tuple(
            (_packed(addresses), _info(replace(instance, properties=said)).text)
            for addresses, said in instance.on_links
        )

    def _displace(self, info: ServiceInfo) -> None:
        self._responder.places.pop(info.name.lower(), None)
        self._responder.texts.pop(info.name.lower(), None)

    # -- subtypes -------------------------------------------------------------------------------------

    def _index_subtype(self, instance: Instance, info: ServiceInfo) -> None:
        types = self._responder.registry.types
        types.setdefault(_subtype(instance), {})[info.key] = _sub_info(instance, info)

    def _unindex_subtype(self, instance: Instance, info: ServiceInfo) -> None:
        types = self._responder.registry.types
        bucket = types.get(_subtype(instance), {})
        bucket.pop(info.key, None)
        if not bucket:
            types.pop(_subtype(instance), None)

    def _send_subtype(self, instance: Instance, info: ServiceInfo, ttl_s: int = _TYPE_TTL_S) -> None:
        out = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        out.add_answer_at_time(DNSPointer(_subtype(instance), _TYPE_PTR, _CLASS_IN, ttl_s, info.name, 0.0), 0)
        self._responder.async_send(out)


def _packed(addresses: Iterable[str]) -> frozenset[bytes]:
    return frozenset(ip_address(address).packed for address in addresses)


def _subtype(instance: Instance) -> str:
    return f"_{instance.kind}._sub.{SERVICE_TYPE}"


def _info(instance: Instance, full_name: str | None = None) -> ServiceInfo:
    return ServiceInfo(
        SERVICE_TYPE,
        full_name or f"{label(instance.name)}.{SERVICE_TYPE}",
        port=instance.port,
        addresses=[ip_address(address).packed for address in instance.addresses],
        properties=dict(instance.properties),
        server=instance.host,
    )


def _sub_info(instance: Instance, info: ServiceInfo) -> ServiceInfo:
    return ServiceInfo(
        _subtype(instance),
        info.name,
        port=info.port,
        addresses=info.addresses_by_version(IPVersion.All),
        properties=dict(instance.properties),
        server=info.server,
    )


def _bare(info: ServiceInfo) -> str:
    return info.name.removesuffix(f".{SERVICE_TYPE}")


def _weight(port: int, server: str) -> tuple[int, bytes]:
    """Return what SRV records are compared by; ours have neither priority nor weight."""
    return port, server.lower().encode()


def label(name: str) -> str:
    """Return ``name`` cut to one DNS label without breaking a character, with a dot replaced by a space.

    zeroconf does not escape dots in instance names.
    """
    cut = name.replace(".", " ").encode()[:_LABEL_LIMIT].decode("utf-8", "ignore")
    return cut.strip() or "backend"
