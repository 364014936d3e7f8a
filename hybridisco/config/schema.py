"""Which keys the user's file may have, and what each may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from hybridisco.config.model import ALL_SOURCES, TRUST_MODES, AnnounceSettings, Config, ManualEntry
from hybridisco.config.table import Table, closest, did_you_mean
from hybridisco.config.text import config_file, dotted, parse, read
from hybridisco.core import safe, target
from hybridisco.core.errors import UsageError
from hybridisco.core.identity import THIS_MACHINE
from hybridisco.core.kind import Kind

_DNS_SD_TYPE = re.compile(r"(_[a-z0-9][a-z0-9-]{0,14}\._tcp)(?:\.local)?\.?", re.IGNORECASE)
_PROBE_TIMEOUT_LIMIT_S = 5.0  # a list has to end within five seconds
_DEFAULTS = Config()


def load(path: Path | None = None) -> Config:
    """Return the settings in ``path``, or in the user's file. A missing file means the defaults.

    :raises ConfigError: the file is wrong; the error says where, and what is allowed.
    """
    file = path or config_file()
    text = read(file)
    return interpret(text or "", file, exists=text is not None)


def interpret(text: str, file: Path, *, exists: bool = True) -> Config:
    """Return the settings in ``text``, which stands in ``file``. :raises ConfigError: it is wrong."""
    return _config(Table(parse(text, file), (), file, text), file if exists else None)


def make_config(values: Mapping[str, Any]) -> Config:
    """Return the settings that a program holds, under the same keys and rules as in the file.

    >>> make_config({"probe": {"hosts": ["gpu-box"]}}).probe_hosts
    ('gpu-box',)

    :raises ConfigError: they are wrong; it has the ``key``, but neither file nor line.
    """
    return _config(Table(dict(values), (), None, ""), None)


def _config(root: Table, file: Path | None) -> Config:
    discovery, probe, mdns = root.table("discovery"), root.table("probe"), root.table("mdns")
    kinds, warnings = _kinds(root.table("kinds"))
    entries = tuple(_service(entry, kinds) for entry in root.tables("services"))
    announce = _announce(root.table("announce"), kinds)
    trust = root.table("trust")
    root.done()
    config = Config(
        file=file,
        timeout_s=discovery.number("timeout_s", _DEFAULTS.timeout_s, 0.1, 600),
        sources=_or(discovery.each("sources", _source), _DEFAULTS.sources),
        ignore=_or(discovery.each("ignore", checked_id), ()),
        probe_hosts=_or(probe.each("hosts", _host), _DEFAULTS.probe_hosts),
        probe_ports=_or(probe.each("ports", _port_range), _DEFAULTS.probe_ports),
        probe_timeout_s=probe.number("timeout_s", _DEFAULTS.probe_timeout_s, 0.1, _PROBE_TIMEOUT_LIMIT_S),
        rescan_s=probe.number("rescan_s", _DEFAULTS.rescan_s, 1, 3600),
        mdns_types=_mdns_types(mdns.table("types"), kinds),
        interfaces=_or(mdns.each("interfaces", _interface), ()),
        remember=mdns.flag("remember", _DEFAULTS.remember),
        kinds=kinds,
        services=entries,
        announce=announce,
        trust_mode=trust.guarded(partial(_trust_mode, trust.string("mode")), "mode"),
        warnings=warnings,
    )
    for table in (discovery, probe, mdns, trust):
        table.done()
    return config


def _or(value: tuple[Any, ...] | None, default: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the default for an absent key; an empty list stays empty."""
    return default if value is None else value


def _kinds(table: Table) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    """Return all kinds (built-in, from other packages, as the file changes and adds them), and warnings."""
    from hybridisco.kinds import BUILTIN, get
    from hybridisco.kinds.extra import customise, from_entry_points, from_table

    installed, warnings = from_entry_points(BUILTIN)
    kinds = {kind.id: kind for kind in (*BUILTIN, *installed)}
    for name, values in table.items():
        if not isinstance(values, dict):
            table.fail(f"This is not a table. Write [{dotted(('kinds', name))}] and its keys below.", name)
        known = get(kinds.values(), name)
        if known is not None:
            _only_custom_keys(table, name, values)
            made = table.guarded(partial(customise, known, **values), name)
        elif "proofs" in values:
            made = table.guarded(partial(from_table, name, values), name)
        else:
            table.fail(
                f"There is no kind of this name.{did_you_mean(name, tuple(kinds))} "
                "`hybridisco kinds` lists them; a new one needs proofs.",
                name,
            )
        kinds[made.id] = made
    return tuple(kinds.values()), warnings


def _only_custom_keys(table: Table, name: str, values: dict[str, Any]) -> None:
    allowed = ("ports", "health", "announce")
    for key in values:
        if key not in allowed:
            table.fail(
                "A kind that is known can only have other ports, another health path, and be announced or not."
                f"{did_you_mean(key, allowed)} Allowed here: {', '.join(allowed)}.",
                name,
                key,
            )


def _announce(table: Table, kinds: tuple[Kind, ...]) -> AnnounceSettings:
    """Return the ``[announce]`` section."""

    def kind(value: object) -> str:
        return known_kind(kinds, value if isinstance(value, str) else ascii(value)).id

    names: list[tuple[str, int | None, str]] = []
    named = table.table("names")
    for key, value in named.items():
        who, colon, port = key.partition(":")
        name = safe.text(value)
        if name is None:
            named.fail("A name is wanted: a text that is not empty.", key)
        if colon and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
            named.fail('Write the kind, or the kind with a port: comfyui or "comfyui:8188".', key)
        names.append((named.guarded(partial(kind, who), key), int(port) if colon else None, name))
    settings = AnnounceSettings(
        kinds=_or(table.each("kinds", kind), ()),
        ports=_or(table.each("ports", _port_range), ()),
        names=tuple(names),
        interfaces=_or(table.each("interfaces", _interface), ()),
        bridges=table.flag("bridges", _DEFAULTS.announce.bridges),
        temporary=table.flag("temporary", _DEFAULTS.announce.temporary),
    )
    table.done()
    return settings


def _service(entry: Table, kinds: tuple[Kind, ...]) -> ManualEntry:
    """Return one ``[[services]]`` entry."""
    url, kind, name = entry.string("url"), entry.string("kind"), entry.string("name")
    entry.done()
    if url is None:
        entry.fail('An entry needs its url, such as url = "http://gpu-box:8188".')
    found = entry.guarded(lambda: target.parse(url), "url")
    if found.port is None:
        entry.fail(
            f'It names no port. Write it as "http://{found}:8188"; to search all of a machine, put its name among the '
            "hosts that are probed.",
            "url",
        )
    return ManualEntry(
        kind=None if kind is None else entry.guarded(lambda: known_kind(kinds, kind).id, "kind"),
        target=found,
        name=safe.text(name),
        url=found.url,
    )


def refuse_twice(entries: Iterable[ManualEntry], new: ManualEntry) -> None:
    """Refuse an entry whose place or name another one has. :raises UsageError: it says which."""
    for other in entries:
        if _place(other.target) == _place(new.target):
            raise UsageError(f"{new.url} is there already{_as(other)}. Remove it first to change it.")
        if new.name and other.name and other.name.casefold() == new.name.casefold():
            raise UsageError(f"{new.name} is already the name of {other.url}. Take another name.")


def _place(where: target.Target) -> tuple[str, str | None, int | None, bool, str]:
    return (machine(where.host), where.zone, where.port, where.tls, where.path)


def machine(host: str) -> str:
    """Return a host as it is compared: this machine has several names."""
    with suppress(ValueError):
        return THIS_MACHINE if ip_address(host).is_loopback else host
    return host


def _as(entry: ManualEntry) -> str:
    kind = f" as {entry.kind}" if entry.kind else ""
    return f"{kind}, named {entry.name}" if entry.name else kind


def known_kind(kinds: tuple[Kind, ...], name: str) -> Kind:
    """Return the kind with this id or alias. :raises UsageError: there is none; it suggests one."""
    from hybridisco.kinds import get

    kind = get(kinds, name)
    if kind is None:
        ids = {word: kind.id for kind in reversed(kinds) for word in (*kind.aliases, kind.id)}
        close = closest(name, tuple(ids))
        meant = f" Did you mean {ids[close]}?" if close else ""  # its id, not the alias: that is what lists show
        raise UsageError(f"{ascii(name)[:40]} is not a kind of backend.{meant} `hybridisco kinds` lists them all.")
    return kind


def _mdns_types(table: Table, kinds: tuple[Kind, ...]) -> tuple[tuple[str, str], ...]:
    """Return other DNS-SD types with the kinds they stand for. A kind nobody can prove is allowed here."""
    from hybridisco.kinds import get

    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        match = _DNS_SD_TYPE.fullmatch(name)
        if match is None:
            table.fail("This is not a DNS-SD type. One looks like _wyoming._tcp.", name)
        kind = safe.kind_id(value)
        if kind is None:
            table.fail('The id of a kind is wanted: lower-case letters, digits and hyphens, such as "wyoming".', name)
        known = get(kinds, kind)
        pairs.append((match[1].lower(), known.id if known else kind))
    return tuple(pairs)


def _source(value: object) -> str:
    if value not in ALL_SOURCES:
        raise UsageError(
            f"{ascii(value)[:40]} is not a source.{did_you_mean(str(value), ALL_SOURCES)} "
            f"Allowed: {', '.join(ALL_SOURCES)}."
        )
    return str(value)


def _trust_mode(value: str | None) -> str:
    if value is None:
        return _DEFAULTS.trust_mode
    if value not in TRUST_MODES:
        raise UsageError(
            f"{ascii(value)[:40]} is not a way to trust.{did_you_mean(value, TRUST_MODES)} "
            f"Allowed: {', '.join(TRUST_MODES)}."
        )
    return value


def checked_id(value: object) -> str:
    """Return what can be the id of a service. :raises UsageError: it cannot."""
    if not isinstance(value, str) or not 1 <= len(value) <= 300 or not value.isprintable() or " " in value:
        raise UsageError(f"{ascii(value)[:40]} is not the id of a service. `hybridisco list --ids` shows the ids.")
    return value


def _host(value: object) -> str:
    """Return a host to probe: a name or an address, without a port."""
    try:
        found = target.parse(value) if isinstance(value, str) else None
    except UsageError as error:
        raise UsageError(
            str(error).replace(target.FORMS, "Write a name (gpu-box) or an address (10.0.0.5).")
        ) from error
    if found is None or found.port is not None or found.path != "/":
        raise UsageError(
            f"{ascii(value)[:60]} is not a host. Write a name or an address without a port: ports are listed by "
            "themselves, and one service at a known port is a manual entry."
        )
    return str(found)


def _port_range(value: object) -> tuple[int, int]:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UsageError(f'{ascii(value)[:40]} is not a range of ports. Write "8000-8200".')
    return target.parse_ports(str(value))


def _interface(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isprintable():
        raise UsageError(f"{ascii(value)[:40]} is not the name of a network interface, such as eth0.")
    return value
