"""Which pieces of evidence speak of the same service.

Theory of operation. Every announcement has *keys*, and announcements that share a key are connected:

* ``("at", machine, port)`` for each endpoint. All addresses of this machine, loopback included, are one
  machine (``localhost``); any other address is a machine until something connects it to another.
* ``("host", name, port)`` for the host name it was found under, ``gpu-box`` and ``gpu-box.local`` alike. A name
  that is no machine's own (``localhost``, an address) tells nothing: a machine elsewhere may be called so.
* ``("id", id)`` for the id in its TXT record.

The first two are *place* keys: they tell where it is. The third tells who it is. Both relations are
symmetric, so the order in which evidence arrives cannot matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeVar

from hybridisco.core.model import Announcement, Endpoint

#: The machine that we run on, in keys and in the ids of services that have none of their own.
THIS_MACHINE = "localhost"

Key = tuple[str, str, int]
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

_CACHED = 8192  # addresses and names whose reading is kept; a full registry has fewer
_LABEL_LIMIT = 63  # octets (RFC 1035 section 2.3.4)
_OWN_HOST = re.compile(r"(.+)-hybridisco-[a-z0-9]{6}(\.local)?")


def is_local(endpoint: Endpoint, local: frozenset[str]) -> bool:
    """Whether the endpoint is on this machine. ``local`` are its addresses, link-local ones with zone."""
    if not endpoint.address:
        return endpoint.host == THIS_MACHINE
    return endpoint.dial in local or _is_loopback(endpoint.address)


@lru_cache(maxsize=_CACHED)
def _is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback


@lru_cache(maxsize=_CACHED)
def _own_name(host: str) -> str | None:
    """Return a host name as it is compared, or None if it could be any machine's."""
    name = bare_host(host)
    try:
        ip_address(name)
    except ValueError:
        return None if name in ("", THIS_MACHINE) else name
    return None


def bare_host(name: str) -> str:
    """Return a host name as it is compared: lower case, no final dot, no ``.local``."""
    return name.rstrip(".").lower().removesuffix(".local")


def sidecar_host(machine_name: str, service_id: str) -> str:
    """Return the host name at which a sidecar announces: ``gpu-box-hybridisco-x3k9fz.local``.

    ``gpu-box.local`` itself belongs to the machine's own responder (Avahi, mDNSResponder, Windows). When it hears
    another set of addresses for it, Avahi takes that for a conflict and renames the whole machine. A name for each
    service also lets each have its own addresses, and tells machines apart that were all called ``ubuntu``.
    """
    mark = f"-hybridisco-{service_id[:6].lower()}"
    return f"{machine_name.partition('.')[0][: _LABEL_LIMIT - len(mark)] or THIS_MACHINE}{mark}.local"


def shown_host(name: str) -> str:
    """Return a host name as people know it: ``gpu-box.local`` for what :func:`sidecar_host` made of it."""
    own = _OWN_HOST.fullmatch(name)
    return f"{own[1]}{own[2] or ''}" if own else name


def place_keys(announcement: Announcement, local: frozenset[str]) -> frozenset[Key]:
    """Return the keys that tell where an announcement points."""
    keys: set[Key] = set()
    for endpoint in announcement.endpoints:
        if is_local(endpoint, local):
            keys.add(("at", THIS_MACHINE, endpoint.port))
        elif endpoint.address:
            keys.add(("at", endpoint.dial, endpoint.port))
        else:
            keys.add(("host", bare_host(endpoint.host or ""), endpoint.port))
        for host in (endpoint.host, announcement.host):
            if host and (name := _own_name(host)):
                keys.add(("host", name, endpoint.port))
    return frozenset(keys)


def keys(announcement: Announcement, local: frozenset[str], *, by_id: bool = True) -> frozenset[Key]:
    """Return all keys of an announcement: its places, and its id if it has one.

    :param by_id: it may speak for that id; one that may not tells only of a place.
    """
    places = place_keys(announcement, local)
    return places | {("id", announcement.id, 0)} if announcement.id and by_id else places


def machine(announcements: Iterable[Announcement], local: frozenset[str]) -> str:
    """Return the name of the machine that these announcements point at, the same in any order."""
    endpoints = [endpoint for a in announcements for endpoint in a.endpoints]
    if any(is_local(endpoint, local) for endpoint in endpoints):
        return THIS_MACHINE
    names = sorted(endpoint.host for endpoint in endpoints if endpoint.host and _own_name(endpoint.host))
    return (names or sorted(endpoint.dial or endpoint.host or "" for endpoint in endpoints))[0]


def derived_id(kind: str, machine_name: str, port: int, path: str) -> str:
    """Return the id of a service that announces none: readable, and the same at every start."""
    return f"{kind}@{machine_name}:{port}{path.rstrip('/')}"


def partition(items: Sequence[T], keys_of: Callable[[T], frozenset[K]]) -> list[list[T]]:
    """Split ``items`` into groups that share keys, directly or by way of others. Their order is kept."""
    group_of: dict[K, int] = {}
    leader = list(range(len(items)))  # of each item's group: a smaller index, or itself

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = index = leader[leader[index]]
        return index

    for index, item in enumerate(items):
        for key in keys_of(item):
            one, other = find(group_of.setdefault(key, index)), find(index)
            leader[max(one, other)] = min(one, other)
    groups: dict[int, list[T]] = {}
    for index, item in enumerate(items):
        groups.setdefault(find(index), []).append(item)
    return list(groups.values())
