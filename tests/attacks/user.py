"""What a user sees: the entries that he wrote down, as the whole of Hybridisco shows them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hybridisco import Service, ServiceDiscoveryManager
from hybridisco.core.model import Snapshot
from tests.settings import config, entry

PATIENCE_S = 10.0  # an endpoint has 5 s; the rest is for a machine that does other things too


@asynccontextmanager
async def watching(*urls: str, kind: str = "comfyui") -> AsyncIterator[ServiceDiscoveryManager]:
    """Run Hybridisco with these addresses written down, and nothing else."""
    settings = config(services=tuple(entry(url, kind) for url in urls))
    async with ServiceDiscoveryManager(settings, sources=["manual"]) as manager:
        yield manager


async def seen(
    manager: ServiceDiscoveryManager, wanted: Callable[[Service], bool], limit_s: float = PATIENCE_S
) -> Service:
    """Return the only service, once it is as ``wanted``."""

    def there(snapshot: Snapshot) -> bool:
        return len(snapshot) == 1 and wanted(snapshot.services[0])

    snapshot = await manager.discover_all_services(limit_s, until=there)
    assert there(snapshot), snapshot.services
    return snapshot.services[0]


def is_checked(service: Service) -> bool:
    """Whether it was looked at, and that has come to an end."""
    return service.status not in ("stale",)


class NameServer:
    """Stands for the name server that the attacker answers for: it says what it is told to, name by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def says(self, name: str, *answers: list[str]) -> None:
        """Answer with these addresses, one list after the other; the last one for ever."""
        self.answers[name] = list(answers)

    def _look_up(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in self.answers:
            return self._real(host, port, *args, **kwargs)
        self.asked.append(host)
        left = self.answers[host]
        now = left.pop(0) if len(left) > 1 else left[0]
        numeric = {"flags": socket.AI_NUMERICHOST, "type": socket.SOCK_STREAM}
        return [info for address in now for info in self._real(address, port, **numeric)]
