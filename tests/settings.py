"""Settings for tests: the real kinds, the ports of the test's own mocks, no file and no network."""

from __future__ import annotations

from typing import Any

from hybridisco.config import Config, ManualEntry
from hybridisco.core import target
from hybridisco.kinds import BUILTIN
from hybridisco.testing import MockBackend


def entry(url: str, kind: str | None = None, name: str | None = None) -> ManualEntry:
    """A service that the user wrote down."""
    return ManualEntry(kind, target.parse(url), name, url)


def config(*probed: MockBackend | int, **more: Any) -> Config:
    """A config that searches localhost for some mocks, besides the ports that are always searched."""
    ports = [mock if isinstance(mock, int) else mock.port for mock in probed]
    more.setdefault("rescan_s", 0.05)
    return Config(kinds=BUILTIN, probe_ports=tuple((port, port) for port in ports), **more)
