"""What stops a build."""

from __future__ import annotations

from hybridisco import HybridiscoError


class BuildError(HybridiscoError):
    """The extension cannot be built, or what was built must not be given to anybody."""
