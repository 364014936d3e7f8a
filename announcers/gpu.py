"""What the box is: GPU model and memory, by NVIDIA's own library where it is there (extra ``gpu``)."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

log = logging.getLogger(__name__)

_MODEL_LIMIT = 60  # characters; the TXT record has 400 octets for everything


@dataclass(frozen=True, slots=True)
class Gpu:
    """The GPUs of this machine together: ``vram_mib`` is that of all of them."""

    model: str
    vram_mib: int


def read() -> Gpu | None:
    """Return what NVML tells, or None where there is no such library, driver or GPU. May take a second.

    It asks the driver only; nothing is computed and no memory of the GPU is used.
    """
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except Exception as error:  # noqa: BLE001 - each release has other exceptions; without a driver there is no GPU
        log.debug("NVML: %s", error)
        return None
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        names = Counter(_text(pynvml.nvmlDeviceGetName(handle)) for handle in handles)
        octets = 0
        with suppress(Exception):  # a GPU that shares the machine's memory has none of its own to tell of
            octets = sum(int(pynvml.nvmlDeviceGetMemoryInfo(handle).total) for handle in handles)
    except Exception as error:  # noqa: BLE001 - as above
        log.debug("NVML: %s", error)
        return None
    finally:
        with suppress(Exception):  # what was read is true all the same
            pynvml.nvmlShutdown()
    return Gpu(_named(names), octets // 2**20) if names else None


def _named(names: Counter[str]) -> str:
    """Return the models in one line: ``2 x NVIDIA RTX 4090``."""
    parts = [f"{number} x {name}" if number > 1 else name for name, number in names.items()]
    return ", ".join(parts)[:_MODEL_LIMIT]


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
