"""What stands in the user's file and is allowed, but is probably not what was meant here and now."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hybridisco.config.model import Config
from hybridisco.config.table import closest
from hybridisco.core.model import UNKNOWN_KIND


def doubts(config: Config, interfaces: Collection[str]) -> Iterator[str]:
    """Yield a warning for each doubt; ``interfaces`` are the names of those that this machine has now."""
    uses = (
        ("mdns.interfaces", config.interfaces, "mDNS uses only those that the list names."),
        ("announce.interfaces", config.announce.interfaces, "A sidecar announces only on those that the list names."),
    )
    for key, names, use in uses:
        missing = [name for name in names if name not in interfaces]
        if missing:
            what = "interface" if len(missing) == 1 else "interfaces"
            yield (
                f"{key}: this machine has no {what} {', '.join(missing)} with an address now. "
                f"It has: {', '.join(interfaces) or 'none'}. {use}"
            )
    known = (*(kind.id for kind in config.kinds), UNKNOWN_KIND)
    for service_type, kind in config.mdns_types:
        if kind not in known:
            close = closest(kind, known)
            yield (
                f"mdns.types: {service_type} stands for {kind}, which is no known kind, so that nothing can be checked "
                f"of it.{f' Did you mean {close}?' if close else ''} `hybridisco kinds` lists them."
            )
