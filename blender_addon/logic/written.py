"""Manual entries: which service they made, and what may become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from hybridisco import (
    Config,
    HybridiscoError,
    ManualEntry,
    Service,
    UsageError,
    known_kind,
    make_config,
    parse_target,
    refuse_twice,
)

from .settings import StoredEntry


def new_entry(config: Config, entry: StoredEntry) -> ManualEntry:
    """Return what the user wants to write down, checked.

    :raises UsageError: its address or kind cannot be used, or it stands there already; the message is for the user.
    """
    if entry.kind:
        known_kind(config.kinds, entry.kind)
    try:
        said = {"url": entry.url.strip(), "name": entry.title}
        (made,) = make_config(
            {"services": [{key: value for key, value in said.items() if value or key == "url"}]}
        ).services
    except HybridiscoError as error:
        key = getattr(error, "key", None)
        raise UsageError(str(error).removeprefix(f"{key}: ")) from error
    made = replace(made, kind=entry.kind or None)  # whose kinds the preferences may have added
    refuse_twice(config.services, made)
    return made


def made_by(service: Service, entries: Sequence[StoredEntry]) -> list[int]:
    """Return the rows of the entries that speak of a service."""
    return [row for row, entry in enumerate(entries) if is_at(service, entry.url)]


def is_at(service: Service, url: str) -> bool:
    """Whether a service is where ``url`` points; what is no URL points nowhere."""
    try:
        target = parse_target(url)
    except UsageError:
        return False
    return any(
        (end.port, end.tls, end.path) == (target.port, target.tls, target.path)
        and (target.host == end.host or _same_address(target.host, end.address))
        for end in service.endpoints
    )


def _same_address(host: str, address: str) -> bool:
    """Whether a host names an address, which may be written in several ways."""
    try:
        end = ip_address(address)
        return end.is_loopback if host == "localhost" else end == ip_address(host)
    except ValueError:
        return False
