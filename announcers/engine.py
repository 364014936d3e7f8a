"""Announcements on the wire: register, update and withdraw DNS-SD instances. Only this file knows zeroconf here.

Three things that python-zeroconf does not do are added, in this one place:

* **Subtypes** (RFC 6763 section 7.1). Its registry answers PTR questions by type, so the same instance is also
  indexed under ``_comfyui._sub._hybridisco._tcp.local.``; our own packets announce and withdraw that pointer.
* Such a subtype must not show up when somebody asks which *types* there are (section 9): those answers are taken
  out of what is sent.
* On each link only the addresses of that link are told (RFC 6762 section 14): those of another network are of no
  use there, and a link-local address would be taken for one of the link it was heard on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from zeroconf import IPVersion, NonUniqueNameException, ServiceInfo, Zeroconf
from zeroconf._dns import DNSAddress, DNSPointer
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf._transport import _WrappedTransport
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _MDNS_PORT, _TYPE_PTR

from hybridisco import SERVICE_TYPE, AnnounceError, NetworkInterface, zeroconf_choice

log = logging.getLogger(__name__)

_LABEL_LIMIT = 63  # octets (RFC 6763 section 4.1.1)
_TYPE_TTL_S = 4500  # of records that name no host (RFC 6762 section 10)
_ENUMERATION = "_services._dns-sd._udp.local."


@dataclass(frozen=True, slots=True)
class Instance:
    """What is announced: an instance name without its type, where it is, and its TXT record."""

    name: str
    kind: str
    host: str
    port: int
    addresses: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]


class _Responder(Zeroconf):
    """Zeroconf that does not list subtypes as types, and tells on each link only the addresses of that link."""

    links: tuple[NetworkInterface, ...] = ()

    def async_send(
        self,
        out: DNSOutgoing,
        addr: str | None = None,
        port: int = _MDNS_PORT,
        v6_flow_scope: tuple[()] | tuple[int, int] = (),
        transport: _WrappedTransport | None = None,
    ) -> None:
        if self.done:
            return
        for sender in [transport] if transport else self.engine.senders:
            where = (addr, *v6_flow_scope[1:]) if addr else (sender.sock_name[0], *sender.sock_name[3:])
            said = _for_link(out, _link_of(self.links, *where))
            if said.questions or said.answers or said.authorities:
                super().async_send(said, addr, port, v6_flow_scope, sender)


def _link_of(links: tuple[NetworkInterface, ...], address: str, zone: int = 0) -> NetworkInterface | None:
    """Return the interface that has ``address``, else the one in whose subnet it lies."""
    ip = ip_address(address.partition("%")[0])
    ip = ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
    if zone:
        return next((link for link in links if link.index == zone), None)
    owners = (link for link in links if any(own.ip == ip for own in link.addresses))
    neighbours = (link for link in links if any(ip in own.network for own in link.addresses))
    return next(owners, None) or next(neighbours, None)


def _for_link(out: DNSOutgoing, link: NetworkInterface | None) -> DNSOutgoing:
    """Return ``out`` without what is not to be said on this link."""
    here = None if link is None else {own.ip.packed for own in link.addresses}

    def fits(record: object) -> bool:
        if isinstance(record, DNSAddress):
            return here is None or record.address in here
        return not (isinstance(record, DNSPointer) and record.name == _ENUMERATION and "._sub." in record.alias)

    said = DNSOutgoing(out.flags, out.multicast, out.id)
    said.questions, said.authorities = out.questions, out.authorities
    said.answers = [(record, at) for record, at in out.answers if fits(record)]
    said.additionals = [record for record in out.additionals if fits(record)]
    return said


class Engine:
    """One set of sockets, any number of instances.

    :param links: the interfaces to announce on.
    :raises AnnounceError: no socket could be opened.
    """

    def __init__(self, links: tuple[NetworkInterface, ...]) -> None:
        try:
            responder = _Responder(interfaces=zeroconf_choice(links), ip_version=IPVersion.All)
        except OSError as error:
            raise AnnounceError(
                f"mDNS could not be started ({error.strerror or error}). Probably another program holds UDP port 5353 "
                "for itself. Stop it, or allow this program to use multicast."
            ) from error
        responder.links = links
        self._responder = responder
        self._zeroconf = AsyncZeroconf(zc=responder)
        self._infos: dict[str, ServiceInfo] = {}

    async def announce(self, instance: Instance) -> str:
        """Put an instance on the network; returns its name, with a number if another had taken it (RFC 6762 §9).

        :raises AnnounceError: no free name was found.
        """
        await self._responder.async_wait_for_start()
        info = _info(instance)
        try:
            announced = await self._zeroconf.async_register_service(info, allow_name_change=True)
        except NonUniqueNameException as error:
            raise AnnounceError(
                f"No free name like {instance.name!r} was found on the network. Give another with --name."
            ) from error
        await announced
        self._infos[instance.name] = info
        self._index_subtype(instance, info)
        self._send_subtype(instance, info)
        return info.name.removesuffix(f".{SERVICE_TYPE}")

    async def update(self, instance: Instance) -> None:
        """Change what an announced instance says, or where it is."""
        old = self._infos[instance.name]
        info = _info(instance, old.name)
        self._infos[instance.name] = info
        await (await self._zeroconf.async_update_service(info))
        self._index_subtype(instance, info)
        self._send_subtype(instance, info)

    async def withdraw(self, instance: Instance) -> None:
        """Take an instance off the network with a goodbye (RFC 6762 section 10.1)."""
        info = self._infos.pop(instance.name, None)
        if info is None:
            return
        self._send_subtype(instance, info, ttl_s=0)
        self._unindex_subtype(instance, info)
        await (await self._zeroconf.async_unregister_service(info))

    async def move(self, links: tuple[NetworkInterface, ...]) -> None:
        """Announce on another set of interfaces."""
        self._responder.links = links
        await self._zeroconf.async_update_interfaces(zeroconf_choice(links), IPVersion.All)

    async def close(self) -> None:
        """Say goodbye for everything and close the sockets."""
        for info in self._infos.values():
            self._responder.registry.types.pop(info.type, None)
        await self._zeroconf.async_unregister_all_services()
        await self._zeroconf.async_close()

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


def label(name: str) -> str:
    """Return ``name`` cut to one DNS label without breaking a character, with a dot replaced by a space.

    zeroconf does not escape dots in instance names.
    """
    cut = name.replace(".", " ").encode()[:_LABEL_LIMIT].decode("utf-8", "ignore")
    return cut.strip() or "backend"
