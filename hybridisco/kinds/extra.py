r"""Kinds from elsewhere: other packages, the user's file, and the user's changes to a known kind.

A package offers a kind by an entry point of the group ``hybridisco.kinds`` that loads to a
:class:`~hybridisco.core.kind.Kind`. The user describes a simple one in a TOML table::

    [kinds.drawbot]
    title = "Drawbot"                    # default: the kind's id
    ports = [7777]                       # likeliest first
    capabilities = ["image"]             # of image, video, audio, voice, text
    start_hint = "Start it with drawbot."
    lan_hint = "Start it with drawbot --host 0.0.0.0."
    announce = false                     # a sidecar for the whole box leaves it out

    [[kinds.drawbot.proofs]]             # any one of them is enough; within one, all of it must hold
    path = "/api/about"                  # the request: GET, nothing else
    status = 200                         # or a list; never alone, since a status proves nothing
    has = ["version", "models.0.name"]   # these are in the JSON body (dotted names, * for any)
    equals = {"app" = "drawbot"}         # this is the value there
    matches = {"title" = "^Draw"}        # a text there matches the regular expression
    header = {"server" = "^drawbot"}     # a header matches
    body = "Drawbot \\d"                  # the body matches
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from hybridisco.core import safe
from hybridisco.core.conditions import Condition, body, equals, has, header, matches, status
from hybridisco.core.errors import ConfigError
from hybridisco.core.kind import Kind, Proof, Step
from hybridisco.core.model import UNKNOWN_KIND
from hybridisco.kinds import offered
from hybridisco.kinds._steps import health as health_proofs

CAPABILITIES = ("image", "video", "audio", "voice", "text")

_KIND_KEYS = ("title", "ports", "capabilities", "start_hint", "lan_hint", "announce", "proofs")
_PROOF_KEYS = ("path", "status", "has", "equals", "matches", "header", "body")
_PORTS = 64  # of one kind: each is a connection a host
_PROOFS = 8  # of one kind: each is a request a port
_REGEX_LIMIT = 500  # characters
_HINT_LIMIT = 400
_POINTER_LIMIT = 200

_T = TypeVar("_T")


def from_entry_points(known: Iterable[Kind] = ()) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    """Return the kinds that installed packages offer, and a warning for each that cannot be used.

    Never raises. A kind whose id is that of one of ``known`` is refused: a package may add, but not replace.
    """
    if not offered.by_packages():
        return (), ()
    from importlib.metadata import entry_points  # here, since it costs 20 to 60 ms and few users need it

    kinds: list[Kind] = []
    warnings: list[str] = []
    taken = {kind.id for kind in known}
    for point in sorted(entry_points(group=offered.ENTRY_POINTS), key=lambda point: point.name):
        package = point.dist.name if point.dist else "?"
        complaint = f"the kind {point.name!r} of the package {package!r} is not used"
        try:
            kind: object = point.load()
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            warnings.append(f"{complaint}: {type(error).__name__}: {safe.text(str(error), 200) or 'no message'}")
            continue
        if not isinstance(kind, Kind):
            warnings.append(f"{complaint}: it is a {type(kind).__name__}, not a Kind")
        elif kind.id in taken:
            warnings.append(f"{complaint}: there already is a kind {kind.id!r}")
        else:
            taken.add(kind.id)
            kinds.append(kind)
    return tuple(kinds), tuple(warnings)


def from_table(kind_id: str, table: Mapping[str, object]) -> Kind:
    """Return the kind that the user describes (see the top of this module).

    ``table`` holds plain values, as :mod:`tomllib` gives them.

    Raises:
        ConfigError: it names the key, and says what is allowed there.
    """
    key = f"kinds.{kind_id}"
    if safe.kind_id(kind_id) != kind_id:
        raise ConfigError("a kind's id has lower-case letters, digits and hyphens, 32 at most", key=key)
    if kind_id == UNKNOWN_KIND:
        raise ConfigError(f"{UNKNOWN_KIND} stands for a web server that is of no known kind; take another id", key=key)
    _only(table, _KIND_KEYS, key)
    proofs = _list(table, "proofs", key)
    if not 0 < len(proofs) <= _PROOFS:
        raise ConfigError(f"say by 1 to {_PROOFS} proofs how the kind is recognised", key=f"{key}.proofs")
    return Kind(
        id=kind_id,
        title=_text(table, "title", key, limit=safe.NAME_LIMIT) or kind_id,
        ports=_ports(table.get("ports", []), f"{key}.ports"),
        proofs=tuple(_proof(proof, f"{key}.proofs[{number}]") for number, proof in enumerate(proofs)),
        capabilities=_capabilities(_list(table, "capabilities", key), f"{key}.capabilities"),
        start_hint=_text(table, "start_hint", key) or "",
        lan_hint=_text(table, "lan_hint", key) or "",
        announced=_flag(table.get("announce", True), f"{key}.announce"),
    )


def customise(kind: Kind, *, ports: object = None, health: object = None, announce: object = None) -> Kind:
    """Return ``kind`` with the user's own ports, recognised by the user's own health endpoint too, announced or not.

    The endpoint is asked first, on the kind's ports and where somebody claims the kind. It answers 200 with a JSON
    object that names the service by the kind's id or an alias (``{"service": "comfyui"}``); LiteLLM's costly
    `/health` also in its own words. Nothing is added where a proof of the kind asks that path anyhow.

    Raises:
        ConfigError: it names the key, and says what is allowed there.
    """
    key = f"kinds.{kind.id}"
    if ports is not None:
        kind = replace(kind, ports=_ports(ports, f"{key}.ports"))
    if announce is not None:
        kind = replace(kind, announced=_flag(announce, f"{key}.announce"))
    if health is None:
        return kind
    path = _path(health, f"{key}.health")
    if any(step.request == path for proof in kind.proofs for step in proof.steps):
        return kind
    own = [proof for proof in kind.opt_in if proof.steps[0].request == path]
    proofs = (replace(proof, expected_only=True) for proof in own)
    named = health_proofs(path, kind.id, *kind.aliases, expected_only=True)
    return replace(kind, proofs=(*proofs, *named, *kind.proofs))


def _proof(value: object, key: str) -> Proof:
    table = _table(value, key)
    _only(table, _PROOF_KEYS, key)
    if "path" not in table:
        raise ConfigError("it needs a path: the request whose reply is looked at", key=key)
    path = _path(table["path"], f"{key}.path")
    where: list[Condition] = []
    if pointers := _list(table, "has", key):
        where.append(has(*(_pointer(pointer, f"{key}.has") for pointer in pointers)))
    where += _each(table, "equals", key, lambda name, value, at: equals(_pointer(name, at), _plain(value, at)))
    where += _each(table, "matches", key, lambda name, value, at: matches(_pointer(name, at), _regex(value, at)))
    where += _each(table, "header", key, lambda name, value, at: header(name.lower(), _regex(value, at)))
    if "body" in table:
        where.append(body(_regex(table["body"], f"{key}.body")))
    if not where:
        raise ConfigError(
            "a path and a status prove nothing, since many servers answer alike: "
            "add has, equals, matches, header or body",
            key=key,
        )
    if "status" in table:
        where.insert(0, status(*_statuses(table["status"], f"{key}.status")))
    return Proof((Step(path, tuple(where)),))


def _only(table: Mapping[str, object], allowed: Sequence[str], key: str) -> None:
    for name in table:
        if name not in allowed:
            raise ConfigError(f"unknown key {name!r}; allowed are {', '.join(allowed)}", key=key)


def _table(value: object, key: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ConfigError("it must be a table", key=key)
    return value


def _each(
    table: Mapping[str, object], name: str, key: str, condition: Callable[[str, object, str], _T]
) -> Iterable[_T]:
    inner = _table(table.get(name, {}), f"{key}.{name}")
    return [condition(pointer, value, f"{key}.{name}.{pointer}") for pointer, value in inner.items()]


def _list(table: Mapping[str, object], name: str, key: str) -> Sequence[object]:
    value = table.get(name, [])
    if not isinstance(value, list | tuple):
        raise ConfigError("it must be a list", key=f"{key}.{name}")
    return value


def _text(table: Mapping[str, object], name: str, key: str, limit: int = _HINT_LIMIT) -> str | None:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise ConfigError("it must be a text", key=f"{key}.{name}")
    return safe.text(value, limit)


def _path(value: object, key: str) -> str:
    path = safe.path(value)
    if path is None:
        raise ConfigError('it must be a plain path such as "/api/health": no host, no query, no ".."', key=key)
    return path


def _pointer(value: object, key: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _POINTER_LIMIT:
        raise ConfigError('it must be the name of a value, such as "version" or "models.0.name"', key=key)
    return value


def _regex(value: object, key: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _REGEX_LIMIT:
        raise ConfigError(f"it must be a regular expression of 1 to {_REGEX_LIMIT} characters", key=key)
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"{value!r} is not a regular expression: {error}", key=key) from error
    return value


def _plain(value: object, key: str) -> str | int | float | bool:
    if not isinstance(value, str | int | float | bool):
        raise ConfigError("it must be a text, a number, true or false", key=key)
    return value


def _statuses(value: object, key: str) -> tuple[int, ...]:
    codes = value if isinstance(value, list | tuple) and value else [value]
    if not all(type(code) is int and 100 <= code <= 599 for code in codes):
        raise ConfigError("it must be an HTTP status such as 200, or a list of them", key=key)
    return tuple(codes)


def _flag(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError("it must be true or false", key=key)
    return value


def _ports(value: object, key: str) -> tuple[int, ...]:
    ports = value if isinstance(value, list | tuple) else None
    if ports is None or len(ports) > _PORTS or not all(type(port) is int and 1 <= port <= 65535 for port in ports):
        raise ConfigError(f"it must be a list of at most {_PORTS} ports, each from 1 to 65535", key=key)
    return tuple(dict.fromkeys(ports))


def _capabilities(names: Sequence[object], key: str) -> tuple[str, ...]:
    for name in names:
        if name not in CAPABILITIES:
            raise ConfigError(f"unknown capability {name!r}; allowed are {', '.join(CAPABILITIES)}", key=key)
    return tuple(str(name) for name in dict.fromkeys(names))
