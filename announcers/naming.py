"""What backends are called on the network."""

from __future__ import annotations

from collections.abc import Collection

from announcers.assignment import Assignment
from announcers.backend import machine_name


def free_name(job: Assignment, taken: Collection[str]) -> str:
    """Return the wished name, or ``ComfyUI on gpu-box``; with the port where another one here is called so."""
    name = job.name or f"{job.kind.title} on {machine_name()}"
    return f"{name} ({job.port})" if name in taken else name
