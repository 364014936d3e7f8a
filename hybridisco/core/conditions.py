"""The little language in which a kind says what its replies look like.

A :class:`Condition` is a question about one :class:`Reply`. Values inside JSON are named by dotted pointers:
``system.python_version``, ``devices.0.name``, and ``devices.*.name`` for "any item's". A pointer that leads
nowhere simply has no values: no reply, however odd, makes a condition raise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_DEPTH_LIMIT = 64  # nesting; the deepest reply of a real backend has 14 (a Gradio layout)
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]')
# Values are counted by what stands between them: one may cost thirty times its octets. A Gradio page has one in twenty
# octets; a short answer may be a list of numbers.
_VALUES, _OCTETS_A_VALUE = 5_000, 8
_BETWEEN = ",[{"
_FAN_OUT = 2000  # values that one pointer may yield
_INDEX = re.compile(r"[0-9]{1,9}")

#: The value of ``Reply.data`` when the body is not JSON: distinct from JSON's null.
NOT_JSON = object()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request. ``status`` is 0 when nothing usable did; then ``error`` says why.

    ``request`` is a path (``/config``), or ``ws:`` and a path for a WebSocket's first text frame.
    ``headers`` have lower-case names. ``data`` is the JSON value of the body, to be read only.
    """

    request: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    error: str | None = None
    elapsed_ms: float | None = None
    data: object = field(default=NOT_JSON, compare=False, repr=False)

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")


def parse_json(body: str) -> object:
    """Return the JSON value of ``body``, or :data:`NOT_JSON`. Never raises, however deep, large or crowded it is."""
    if not body or body.lstrip()[:1] not in '{["tfn-0123456789':
        return NOT_JSON
    if len(body) > _VALUES and sum(map(body.count, _BETWEEN)) > _VALUES + len(body) // _OCTETS_A_VALUE:
        return NOT_JSON
    depth = deepest = 0
    if body.count("[") + body.count("{") > _DEPTH_LIMIT:
        for token in _BRACKETS.finditer(body):
            char = token.group()[0]
            depth += (char in "[{") - (char in "]}")
            deepest = max(deepest, depth)
            if deepest > _DEPTH_LIMIT:
                return NOT_JSON
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # ValueError: no JSON, or an integer of over 4300 digits
        return NOT_JSON


def values(data: object, pointer: str) -> Iterator[object]:
    """Yield what ``pointer`` names in ``data``; an empty pointer names the whole."""
    found = [data]
    for part in pointer.split(".") if pointer else ():
        following: list[object] = []
        for value in found:
            if part == "*":
                following.extend(value if isinstance(value, list) else ())
                following.extend(value.values() if isinstance(value, dict) else ())
            elif isinstance(value, dict) and part in value:
                following.append(value[part])
            elif isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
                following.append(value[int(part)])
        found = following[:_FAN_OUT]
    return iter(found if data is not NOT_JSON else ())


@dataclass(frozen=True, slots=True)
class Condition:
    """A question about a reply, and its wording for people."""

    wording: str
    holds: Callable[[Reply], bool] = field(compare=False, repr=False)


def status(*codes: int) -> Condition:
    """The HTTP status is one of ``codes``. Only ever one of several conditions: a status proves nothing."""
    return Condition(f"status in {codes}", lambda reply: reply.status in codes)


def header(name: str, pattern: str) -> Condition:
    """A header's value matches."""
    return Condition(f"{name}: {pattern}", lambda reply: re.search(pattern, reply.header(name), re.I) is not None)


def body(pattern: str) -> Condition:
    """The body's text matches."""
    return Condition(f"body ~ {pattern}", lambda reply: re.search(pattern, reply.body) is not None)


def has(*pointers: str) -> Condition:
    """The JSON value has all of ``pointers``."""
    return Condition(
        f"has {', '.join(pointers)}",
        lambda reply: all(any(True for _ in values(reply.data, pointer)) for pointer in pointers),
    )


def equals(pointer: str, *wanted: object) -> Condition:
    """Every one of ``wanted`` is among the values that ``pointer`` names (True is not 1)."""

    def holds(reply: Reply) -> bool:
        found = list(values(reply.data, pointer))
        return all(any(type(v) is type(w) and v == w for v in found) for w in wanted)

    return Condition(f"{pointer} = {', '.join(map(repr, wanted))}", holds)


def matches(pointer: str, pattern: str, at_least: int = 1) -> Condition:
    """At least so many different strings that ``pointer`` names match ``pattern``."""

    def holds(reply: Reply) -> bool:
        texts = {value for value in values(reply.data, pointer) if isinstance(value, str)}
        return sum(re.search(pattern, value) is not None for value in texts) >= at_least

    return Condition(f"{pointer} ~ {pattern}", holds)


def exactly(pointer: str, keys: frozenset[str]) -> Condition:
    """The object that ``pointer`` names has just these keys."""
    return Condition(
        f"{pointer or 'object'} has just {', '.join(sorted(keys))}",
        lambda reply: any(isinstance(v, dict) and v.keys() == keys for v in values(reply.data, pointer)),
    )


def unless(condition: Condition) -> Condition:
    """The opposite of ``condition``."""
    return Condition(f"not ({condition.wording})", lambda reply: not condition.holds(reply))


def either(*conditions: Condition) -> Condition:
    """At least one of ``conditions``."""
    return Condition(
        " or ".join(f"({condition.wording})" for condition in conditions),
        lambda reply: any(condition.holds(reply) for condition in conditions),
    )


_NAMING_KEYS = ("service", "name", "app", "application", "kind", "backend", "server")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WORDS_IN_A_NAME = 6  # of the longest alias, "retrieval-based-voice-conversion-webui", and one to spare


def names(*aliases: str) -> Condition:
    """A health endpoint's JSON object names the service, under one of the usual keys.

    ``{"status": "ok", "service": "Wan2GP API"}`` names ``wan2gp``. Case and punctuation do not count, but whole
    words do: "RVCServer" and "rvc-api" name ``rvc``, "servervc" does not.
    """
    wanted = {re.sub(r"[^a-z0-9]", "", alias.lower()) for alias in aliases}

    def is_named(text: str) -> bool:
        words = [word.lower() for word in _WORD.findall(text[:200])]
        ends = range(1, _WORDS_IN_A_NAME + 1)
        return any("".join(words[i : i + n]) in wanted for i in range(len(words)) for n in ends)

    def holds(reply: Reply) -> bool:
        said = [value for key in _NAMING_KEYS for value in values(reply.data, key)]
        return any(isinstance(value, str) and is_named(value) for value in said)

    return Condition(f"names {' or '.join(aliases)}", holds)
