"""What holds where the user's file says nothing, as far as a search needs it before anything heavy is imported."""

from __future__ import annotations

SOURCES = ("mdns", "probe", "manual")
PROBE_HOSTS = ("localhost",)
PROBE_PORTS = ((8000, 8200),)
"""Ranges, both ends included, searched besides the kinds' own ports."""
