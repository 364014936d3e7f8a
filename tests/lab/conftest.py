"""Fixtures of the lab's own tests."""

from .fixtures import lab

__all__ = ["lab"]
