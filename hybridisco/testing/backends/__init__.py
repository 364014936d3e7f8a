"""The backends that can be mocked, one file each; this table is where a new one is entered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hybridisco.testing.backends import audioldm, comfyui, litellm, rvc, wan2gp, web
from hybridisco.testing.backends.backend import Backend

__all__ = ["BACKENDS", "MOCK_KINDS", "Backend"]

_KINDS: Final = (comfyui.BACKEND, wan2gp.BACKEND, litellm.BACKEND, rvc.BACKEND, audioldm.BACKEND)

MOCK_KINDS: Final[tuple[str, ...]] = tuple(backend.kind for backend in _KINDS)
"""The AI backends, in the order in which people are shown them."""

BACKENDS: Final[Mapping[str, Backend]] = MappingProxyType({backend.kind: backend for backend in (*_KINDS, web.BACKEND)})
"""Every answerer by name: the kinds, and `web`, a plain web server that is none of them."""
