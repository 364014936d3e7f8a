"""For other add-ons: what is there, what the user has chosen, and being told of changes.

An extension's module name begins with the name of its repository, so look it up::

    def hybridisco():
        for name in bpy.context.preferences.addons.keys():
            if name.startswith("bl_ext.") and name.endswith(".hybridisco"):
                return importlib.import_module(name + ".api")
        return None                     # Hybridisco is not enabled (yet)

    api = hybridisco()
    comfyui = api.selected("comfyui") or next(iter(api.services("comfyui", "online")), None)
    if comfyui is not None:
        print(comfyui.name, comfyui.url)

Call everything here on Blender's main thread. Every call returns at once; none asks the network.

A :class:`Service` is immutable: ``id, kind, name, host, url, endpoints, status, problem, verified, version,
capabilities, properties, sources, latency_ms, first_seen, last_seen, trust``, and ``usable`` (online or busy).
Statuses are ``online, busy, starting, locked, stale, mismatch, unreachable, untrusted``; what is known from before and
was not checked yet is ``stale``; what is announced by somebody who may not is ``untrusted``: send it nothing.
``trust`` is one of
``pinned, new, unsigned, unchecked, untrusted``. Ask again when you need an address: an old Service keeps its old one.
"""

from __future__ import annotations

from collections.abc import Callable

from hybridisco import Service, status_rank

from . import session, subscribers

__all__ = ["VERSION", "Service", "selected", "services", "subscribe"]

#: Grows when something here changes its meaning or goes away. New names may come at any time.
VERSION = 1


def services(kind: str | None = None, status: str | None = None) -> tuple[Service, ...]:
    """Return the services that the panel has, best first, without what the user ignores.

    :param kind: only those of this kind, such as ``"comfyui"``.
    :param status: only those of this status, such as ``"online"``.
    """
    every = session.current().services
    wanted = (s for s in every if kind in (None, s.kind) and status in (None, s.status.value))
    return tuple(sorted(wanted, key=lambda service: status_rank(service.status)))


def selected(kind: str) -> Service | None:
    """Return the service that the user has chosen for ``kind``; None if there is no choice, or it is gone.

    It counts as gone while it is announced by somebody who may not. It may be busy or unreachable just now: see its
    status.
    """
    return session.current().selected(kind)


def subscribe(callback: Callable[[tuple[Service, ...]], object]) -> Callable[[], None]:
    """Call ``callback(services)`` on the main thread after each change, four times a second at most.

    That includes a new choice of the user's; when Hybridisco is disabled, it is called with ``()``. A subscription
    outlives disabling, enabling and updating Hybridisco. Returns how to end it: call that in your ``unregister()``.
    """
    return subscribers.add(callback)
