"""Which of the addresses that were heard may be dialled, judged by the networks of this machine.

mDNS is for one link: what lies elsewhere (the internet, a cloud's metadata, another network of this machine or of the
house) is not dialled because somebody says so. Behind a reflector, write the address down instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from hybridisco.core import safe
from hybridisco.sources.interfaces import Interface, interface_towards

_REMEMBERED = 4096  # answers; a box gives the same addresses for all of its services, and again with each packet

#: Where a host is: an address without its zone, and the interface that it was heard on.
Place = tuple[str, str]


class Reach:
    """What can be reached from these interfaces."""

    def __init__(self, every: tuple[Interface, ...] = ()) -> None:
        self._every = every
        self._known: dict[Place, str | None] = {}

    def __call__(self, places: Iterable[Place]) -> tuple[Place, ...]:
        """Return every address that may be dialled, in canonical form, and the interface that leads to it."""
        found: dict[Place, None] = {}
        for place in places:
            if (address := self._dialled(place)) is not None:
                found[address, place[1]] = None
        return tuple(found)

    def _dialled(self, place: Place) -> str | None:
        if place not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[place] = self._judged(*place)
        return self._known[place]

    def _judged(self, said: str, link: str) -> str | None:
        address = safe.announced_address(said)
        if address is None or _is_link_local(address):
            return address
        return address if interface_towards(tuple(one for one in self._every if one.name == link), address) else None


def _is_link_local(address: str) -> bool:
    return address.startswith(("fe8", "fe9", "fea", "feb"))  # fe80::/10
