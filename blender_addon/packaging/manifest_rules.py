"""What a manifest must keep to, beyond what Blender's own tool looks at.

That tool passes a manifest which lists a wheel that is not there, has a key that nobody knows, a licence without
``SPDX:``, or Blender's name in its own; Blender or its extension platform refuses it later, or the user meets an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from blender_addon.packaging.contents import WHEELS

Manifest = Mapping[str, Any]

_REQUIRED = (
    "schema_version",
    "id",
    "version",
    "name",
    "tagline",
    "maintainer",
    "type",
    "blender_version_min",
    "license",
)
_KNOWN = frozenset(
    {*_REQUIRED, "blender_version_max", "website", "copyright", "tags", "platforms", "wheels", "permissions"}
)
_PERMISSIONS = frozenset({"files", "network", "clipboard", "camera", "microphone"})
# Of those that the extension platform takes, the ones that fit us.
_LICENSES = frozenset({"GPL-3.0-or-later", "LGPL-2.1-or-later", "LGPL-3.0-or-later", "MIT", "BSD-3-Clause", "MPL-2.0"})
_TAGLINE_LIMIT = 64  # characters; Blender's own, for permissions' reasons too
_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SEMVER = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_BLENDER_VERSION = re.compile(r"\d+\.\d+\.\d+")


def problems(manifest: Manifest, files: Collection[str]) -> Iterator[str]:
    """Say what is wrong with a manifest, and what to do about it.

    :param files: the paths of all files in the zip.
    """
    for key in _REQUIRED:
        if not manifest.get(key):
            yield f"{key} is missing or empty, and Blender needs it."
    for key in sorted(set(manifest) - _KNOWN):
        yield f"Blender knows no key {key!r}. Remove it, or correct its spelling."
    for key, rule in _RULES.items():
        if manifest.get(key):
            yield from rule(manifest[key])
    yield from _wheels(manifest.get("wheels", []), files)


def _schema(value: Any) -> Iterator[str]:
    if value != "1.0.0":
        yield f"schema_version is {value!r}; what is checked here is 1.0.0."


def _id(value: Any) -> Iterator[str]:
    if not _ID.fullmatch(str(value)):
        yield f"id is {value!r}. Use small letters, digits and single underscores."


def _version(value: Any) -> Iterator[str]:
    if not _SEMVER.fullmatch(str(value)):
        yield f"version is {value!r}. Blender wants three numbers such as 1.2.3, and perhaps -beta.1 after them."


def _name(value: Any) -> Iterator[str]:
    if "blender" in str(value).casefold():
        yield f"name is {value!r}. The extension platform refuses names with Blender's own in them."


def _type(value: Any) -> Iterator[str]:
    if value != "add-on":
        yield f"type is {value!r}. Ours is an add-on."


def _tagline(value: Any) -> Iterator[str]:
    yield from _terse("tagline", value)


def _licenses(value: Any) -> Iterator[str]:
    for entry in _list(value):
        prefix, _, name = str(entry).rpartition("SPDX:")
        if prefix or not str(entry).startswith("SPDX:"):
            yield f"license: {entry!r} must begin with SPDX:, as in SPDX:GPL-3.0-or-later."
        elif name not in _LICENSES:
            yield f"license: {name} is none that the extension platform is known to take. If it does, add it here."


def _blender_version(value: Any) -> Iterator[str]:
    if not _BLENDER_VERSION.fullmatch(str(value)):
        yield f"blender_version_min is {value!r}. The extension platform wants three numbers such as 4.2.0."


def _permissions(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield "permissions must be a table: what is asked for, and why."
        return
    for key, reason in value.items():
        if key not in _PERMISSIONS:
            yield f"There is no permission {key!r}. There are {', '.join(sorted(_PERMISSIONS))}."
        yield from _terse(f"permissions.{key}", reason)


def _terse(key: str, value: Any) -> Iterator[str]:
    text = str(value)
    if len(text) > _TAGLINE_LIMIT:
        yield f"{key} has {len(text)} characters. Shorten it to {_TAGLINE_LIMIT}."
    if not text.strip() or text != text.strip():
        yield f"{key} is {text!r}. Say something there, without blanks around it."
    elif not (text[-1].isalnum() or text[-1] in ")]}"):
        yield f"{key} ends in {text[-1]!r}. Leave that off: Blender takes no stop at the end."


def _wheels(value: Any, files: Collection[str]) -> Iterator[str]:
    listed = [str(entry).removeprefix("./") for entry in _list(value)]
    present = {file for file in files if file.startswith(f"{WHEELS}/")}
    for wheel in sorted({wheel for wheel in listed if listed.count(wheel) > 1}):
        yield f"wheels names {wheel} more than once."
    for wheel in sorted(set(listed) - present):
        yield f"wheels names {wheel}, which is not in the zip: Blender would fail to install it."
    for wheel in sorted(present - set(listed)):
        yield f"{wheel} is in the zip, but not under wheels: Blender would not install it."
    for wheel in listed:
        if not wheel.endswith("-none-any.whl"):
            yield f"{wheel} is for one system only. The zip is for all: take the wheel for any platform."


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_RULES: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "schema_version": _schema,
    "id": _id,
    "version": _version,
    "name": _name,
    "tagline": _tagline,
    "type": _type,
    "license": _licenses,
    "blender_version_min": _blender_version,
    "permissions": _permissions,
}
