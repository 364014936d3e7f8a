"""The settings that hold, defaults included, written as the file that would say them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridisco.config.model import AnnounceSettings, Config
from hybridisco.config.text import parse, read

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml(config: Config) -> str:
    """Return the settings as TOML. :raises ConfigError: their file cannot be read any more."""
    ports = _ranges(config.probe_ports)
    lines = [
        f"# {config.file or 'no file: the defaults'}",
        "[discovery]",
        f"timeout_s = {config.timeout_s}",
        f"sources = {_value(config.sources)}",
        f"ignore = {_value(config.ignore)}",
        "",
        "[probe]",
        f"hosts = {_value(config.probe_hosts)}",
        f"ports = {_value(ports)}",
        f"timeout_s = {config.probe_timeout_s}",
        f"rescan_s = {config.rescan_s}",
        "",
        "[mdns]",
        f"interfaces = {_value(config.interfaces)}",
        f"types = {_value(dict(config.mdns_types))}",
        f"remember = {_value(config.remember)}",
    ]
    lines += ["", *_announce(config.announce), "", "[trust]", f"mode = {_value(config.trust_mode)}"]
    for name, table in _kind_tables(config.file).items():
        lines += ["", *_kind(name, table)]
    for entry in config.services:
        pairs = {"name": entry.name, "kind": entry.kind, "url": entry.url}
        lines += ["", "[[services]]", *_pairs({key: said for key, said in pairs.items() if said is not None})]
    return "\n".join(lines)


def _announce(settings: AnnounceSettings) -> Iterator[str]:
    names = {kind if port is None else f"{kind}:{port}": name for kind, port, name in settings.names}
    yield "[announce]"
    yield f"kinds = {_value(settings.kinds)}"
    yield f"ports = {_value(_ranges(settings.ports))}"
    yield f"names = {_value(names)}"
    yield f"interfaces = {_value(settings.interfaces)}"
    yield f"bridges = {_value(settings.bridges)}"
    yield f"temporary = {_value(settings.temporary)}"


def _ranges(ports: tuple[tuple[int, int], ...]) -> list[str]:
    return [f"{low}-{high}" if low != high else str(low) for low, high in ports]


def _kind_tables(file: Path | None) -> dict[str, Any]:
    """Return the kinds as the file says them: a :class:`~hybridisco.core.kind.Kind` no longer knows its words."""
    text = read(file) if file else None
    return dict(parse(text, file).get("kinds", {})) if file and text else {}


def _kind(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield f"[kinds.{_key(name)}]"
    yield from _pairs({key: value for key, value in table.items() if key != "proofs"})
    for proof in table.get("proofs", ()):
        yield ""
        yield f"[[kinds.{_key(name)}.proofs]]"
        yield from _pairs(proof)


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{_key(key)} = {_value(value)}" for key, value in table.items())


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(it: object) -> str:
    """Return a value as TOML writes it. Its strings are JSON's, but for one control character."""
    if isinstance(it, str):
        return json.dumps(it, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(it, bool):
        return "true" if it else "false"
    if isinstance(it, Mapping):
        return f"{{ {', '.join(_pairs(it))} }}" if it else "{}"
    if isinstance(it, list | tuple):
        return f"[{', '.join(map(_value, it))}]"
    return str(it)  # numbers, nan and inf among them, are written as Python writes them
