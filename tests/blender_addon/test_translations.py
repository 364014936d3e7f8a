"""Everything that a user reads in Blender has a translation that fits, and the table has nothing else.

What is shown is read from the source, since nothing here can import bpy: what is given to ``say()``, and what Blender
itself looks up in the same table: labels, tooltips (of classes: their docstrings), names and choices of properties.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import blender_addon
from blender_addon.translations import SAID, TABLE, de
from hybridisco import make_config

Key = tuple[str, str]  # Blender's context, and the English text

_ANY, _OPERATOR = "*", "Operator"
_FOLDER = Path(blender_addon.__file__).parent
_NOT_SHOWN = frozenset({"packaging", "translations"})
_CLASSES = {"bpy.types.Operator": _OPERATOR, "bpy.types.Panel": _ANY, "bpy.types.Menu": _ANY}  # context of the label
_DRAWN = frozenset({"text", "heading", "placeholder"})  # arguments of a layout's methods that Blender translates
_TOLD = {"label": 1, "button": 2, "sentences": 2, "report": 1, "poll_message_set": 0}  # the argument that is shown
_ITEM = 5  # of an enum: identifier, name, description, icon, number
_SHORT = 25  # characters: what is shorter stands on a button or in a narrow column


@dataclass(frozen=True, slots=True)
class Module:
    """A file of the extension."""

    path: Path
    nodes: tuple[ast.AST, ...]

    @property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """Every call, with the last name of what is called."""
        calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        return [(ast.unparse(call.func).rpartition(".")[2], call) for call in calls]

    @property
    def said(self) -> list[ast.expr]:
        """What is given to ``say()``."""
        return [call.args[0] for name, call in self.calls if name == "say"]

    @property
    def dictionaries(self) -> dict[str, list[ast.expr]]:
        """The values of each dictionary that has a name."""
        found: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                found[ast.unparse(target)] = node.value.values
        return found

    def in_dictionaries(self, node: ast.expr) -> list[ast.expr]:
        """The values of all dictionaries of this file that an expression names."""
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return [value for name, values in self.dictionaries.items() if name in names for value in values]


@cache
def _modules() -> tuple[Module, ...]:
    paths = [path.relative_to(_FOLDER) for path in sorted(_FOLDER.rglob("*.py"))]
    return tuple(
        Module(path, tuple(ast.walk(ast.parse((_FOLDER / path).read_text(encoding="utf-8")))))
        for path in paths
        if path.parts[0] not in _NOT_SHOWN
    )


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """Those of ``nodes`` that are words: no empty text, no URL."""
    for node in nodes:
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text and "://" not in text.split()[0]:
            yield text


def _keywords(call: ast.Call, names: Collection[str | None]) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords if keyword.arg in names]


def _said() -> Iterator[str]:
    """What is given to ``say()``: a text, one out of a dictionary, or what a kind of backend makes."""
    for module in _modules():
        for node in module.said:
            yield from _texts([node, *module.in_dictionaries(node)])
    for kind in make_config({}).kinds:
        yield from kind.capabilities


def _of_classes() -> Iterator[Key]:
    """Labels and tooltips of operators, panels and menus."""
    for node in (node for module in _modules() for node in module.nodes if isinstance(node, ast.ClassDef)):
        for context in [_CLASSES[base] for base in map(ast.unparse, node.bases) if base in _CLASSES]:
            labels = [line.value for line in node.body if isinstance(line, ast.Assign) and _is_label(line)]
            yield from ((context, text) for text in _texts(labels))
            yield _ANY, ast.get_docstring(node, clean=False) or ""


def _is_label(line: ast.Assign) -> bool:
    return ast.unparse(line.targets[0]) == "bl_label"


def _of_properties() -> Iterator[str]:
    """Names and tooltips of properties, and their choices."""
    for module in _modules():
        for name, call in module.calls:
            if name.endswith("Property"):
                yield from _texts(_keywords(call, ("name", "description")))
            elif name == "seconds":
                yield from _texts(call.args[:2])
            elif name == "_kinds" and isinstance(call.args[0], ast.Tuple):
                yield from _texts(call.args[0].elts[:2])
        if any(name == "EnumProperty" for name, _ in module.calls):
            items = [node.elts for node in module.nodes if isinstance(node, ast.Tuple) and len(node.elts) == _ITEM]
            yield from _texts(part for item in items for part in item[1:3])


def _drawn() -> Iterator[str]:
    """Texts that a layout is given as they are."""
    for module in _modules():
        for name, call in module.calls:
            if name not in (*_TOLD, "say"):  # these have texts that were translated, or values to put in
                yield from _texts(_keywords(call, _DRAWN))


@cache
def _shown() -> frozenset[Key]:
    by_blender = (*_of_properties(), *_drawn())
    return frozenset({*((SAID, text) for text in _said()), *((_ANY, text) for text in by_blender), *_of_classes()})


def _parts(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def _ends(text: str) -> tuple[bool, bool, bool]:
    """Whether it begins and ends with a space, since something is put beside it, and whether it is a whole sentence."""
    return text.startswith(" "), text.endswith(" "), text.endswith(".")


def test_the_source_is_read() -> None:
    """Else everything below would pass: one of each sort."""
    assert {(SAID, "{count} services"), (SAID, "Being checked"), (SAID, "Queue"), (SAID, "probe")} <= _shown()
    assert {(_ANY, "In Use"), (_OPERATOR, "Add AI Service"), (_ANY, "Remove this entry")} <= _shown()
    assert {(_ANY, "Health path"), (_ANY, "Look Again Every"), (_ANY, "Latency"), (_ANY, "Ask the Service")} <= _shown()
    assert {(_ANY, "Search by"), (SAID, "Search"), (SAID, "Name (optional)")} <= _shown()


def test_nothing_is_drawn_or_reported_as_it_is() -> None:
    """What Blender is told not to translate has gone through ``say()``."""
    bare = {
        text
        for module in _modules()
        for name, call in module.calls
        for text in _texts(call.args[_TOLD[name] :][:1] if name in _TOLD else [])
    }
    assert bare == set()


def test_what_is_said_can_be_read_from_the_source() -> None:
    """A text that is put together first would be found in no table."""
    unknown = [
        f"{module.path.as_posix()}: say({ast.unparse(node)})"
        for module in _modules()
        for node in module.said
        if not (isinstance(node, ast.Constant) or module.in_dictionaries(node))
    ]
    assert unknown == ["logic/details.py: say(name)"], "what a kind makes, which _said() adds, is the only one"


@pytest.mark.parametrize("language", TABLE)
def test_everything_that_is_shown_is_translated(language: str) -> None:
    assert _shown() - set(TABLE[language]) == set()


@pytest.mark.parametrize("language", TABLE)
def test_nothing_else_is_in_the_table(language: str) -> None:
    assert set(TABLE[language]) - _shown() == set()


@pytest.mark.parametrize("language", TABLE)
def test_the_same_values_are_put_in(language: str) -> None:
    assert {key for key, text in TABLE[language].items() if _parts(text) != _parts(key[1])} == set()


@pytest.mark.parametrize("language", TABLE)
def test_a_translation_begins_and_ends_as_the_text_does(language: str) -> None:
    assert {key for key, text in TABLE[language].items() if _ends(text) != _ends(key[1])} == set()


@pytest.mark.parametrize("language", TABLE)
def test_a_short_text_stays_short(language: str) -> None:
    short = {key: text for key, text in TABLE[language].items() if len(key[1]) < _SHORT}
    assert {key for key, text in short.items() if len(text) > 1.6 * len(key[1]) + 10} == set()


def test_no_text_stands_in_two_files_of_german() -> None:
    for name in ("SAID", "NAMES"):
        assert len(getattr(de, name)) == sum(
            len(getattr(file, name, ())) for file in (de.panel, de.operators, de.settings)
        )
