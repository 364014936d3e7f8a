"""The service that the user has chosen for a kind, and how it is followed.

A choice is kept by the service's id, so a new address (DHCP, another port) changes nothing. A service that announces
no id has one that is made of its place (``comfyui@localhost:8188``). When a sidecar begins to announce that same
backend, or stops to, its id changes and its place stays: then the choice follows the place. It never moves from one
announced id to another: that is another service.

A service that is not trusted cannot be chosen, and is never followed to: while the chosen one is announced by somebody
who may not (:func:`impostor`), the choice stays what it was, and leads to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hybridisco import Service

from .trust import announced_id, untrusted


@dataclass(frozen=True, slots=True)
class Choice:
    """What is used for a kind; ``title`` and ``url`` as they were last."""

    kind: str
    service_id: str
    title: str
    url: str


def choice_of(service: Service) -> Choice:
    """Return the choice of a service, for its own kind."""
    return Choice(service.kind, service.id, service.name, service.url)


def with_choice(choices: Iterable[Choice], new: Choice) -> tuple[Choice, ...]:
    """Return the choices with ``new`` in the place of what was chosen for its kind."""
    return (*(choice for choice in choices if choice.kind != new.kind), new)


def found(choice: Choice, services: Sequence[Service]) -> Service | None:
    """Return the chosen service, or None if it is gone, or not to be trusted."""
    services = [service for service in services if not untrusted(service)]
    for service in services:
        if service.id == choice.service_id and service.kind == choice.kind:  # anybody can announce an id
            return service
    for service in services:
        same_place = any(endpoint.url == choice.url for endpoint in service.endpoints)
        if service.kind == choice.kind and same_place and (_by_place(choice.service_id) or _by_place(service.id)):
            return service
    return None


def impostor(choice: Choice, services: Sequence[Service]) -> Service | None:
    """Return what is announced under the id of the chosen service by somebody who may not, or None."""
    if found(choice, services) is not None:
        return None
    claiming = (service for service in services if untrusted(service) and announced_id(service) == choice.service_id)
    return next(claiming, None)


def followed(choices: Iterable[Choice], services: Sequence[Service]) -> tuple[Choice, ...]:
    """Return the choices as they are now: with the id, name and address that each service has now."""
    kept: list[Choice] = []
    for choice in choices:
        service = found(choice, services)
        now = replace(choice_of(service), kind=choice.kind) if service else choice
        kept.append(now)
    return tuple(kept)


def _by_place(service_id: str) -> bool:
    """Whether an id is made of the service's place: an announced one has no @ in it."""
    return "@" in service_id
