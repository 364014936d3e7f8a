"""The language of conditions: what each holds of, and that no reply makes one raise."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.core.conditions import (
    NOT_JSON,
    Condition,
    Reply,
    body,
    either,
    equals,
    exactly,
    has,
    header,
    matches,
    names,
    parse_json,
    status,
    unless,
    values,
)

DATA = {
    "system": {"version": "1.2", "argv": []},
    "devices": [{"name": "cuda:0"}, {"name": "cpu", "index": None}],
    "ready": True,
    "count": 1,
    "none": None,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def reply(data: object = NOT_JSON, text: str = "", code: int = 200, **headers: str) -> Reply:
    return Reply("/", code, tuple(headers.items()), text, data=data)


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", [DATA]),
        ("system.version", ["1.2"]),
        ("devices.0.name", ["cuda:0"]),
        ("devices.*.name", ["cuda:0", "cpu"]),
        ("devices.*.index", [None]),
        ("system.*", ["1.2", []]),
        ("none", [None]),
        ("none.x", []),
        ("devices.2", []),
        ("devices.-1", []),
        ("devices.name", []),
        ("system.0", []),
        ("count.*", []),
        ("devices.²", []),
        ("devices." + "9" * 5000, []),
        (".", []),
    ],
)
def test_pointers(pointer: str, found: list[object]) -> None:
    assert list(values(DATA, pointer)) == found


def test_what_is_not_json_has_no_values() -> None:
    assert list(values(NOT_JSON, "")) == []
    assert list(values(None, "")) == [None]


def test_a_pointer_fans_out_within_bounds() -> None:
    assert len(list(values([[0] * 100] * 100, "*.*"))) == 2000


@pytest.mark.parametrize(
    ("condition", "holding", "failing"),
    [
        (status(200, 426), reply(code=426), reply(code=404)),
        (header("server", "^llama"), reply(server="LLAMA.cpp"), reply(other="llama")),
        (body("run+ing"), reply(text="is running"), reply(text="")),
        (has("system.version", "none"), reply(DATA), reply({"none": 1})),
        (has(""), reply(None), reply()),
        (equals("count", 1), reply(DATA), reply({"count": 1.0})),
        (equals("count", 1), reply(DATA), reply({"count": True})),
        (equals("devices.*.name", "cpu", "cuda:0"), reply(DATA), reply({"devices": [{"name": "cpu"}]})),
        (equals("", "alive"), reply("alive"), reply(["alive"])),
        (matches("devices.*.name", "^c", at_least=2), reply(DATA), reply({"devices": [{"name": "c"}] * 2})),
        (matches("count", "1"), reply({"count": "1"}), reply(DATA)),
        (exactly("", frozenset({"a", "b"})), reply({"a": 1, "b": 2}), reply({"a": 1, "b": 2, "c": 3})),
        (exactly("", frozenset()), reply({}), reply([])),
        (unless(has("count")), reply(), reply(DATA)),
        (either(has("x"), has("count")), reply(DATA), reply({})),
    ],
)
def test_conditions(condition: Condition, holding: Reply, failing: Reply) -> None:
    assert condition.holds(holding)
    assert not condition.holds(failing)
    assert condition.wording


@pytest.mark.parametrize(
    "said",
    ["rvc", "RVC", "RVC WebUI", "my-rvc-server", "RVCServer", "rvc_api", "rvc2", "Retrieval-based Voice Conversion"],
)
def test_a_service_is_named_by_whole_words(said: str) -> None:
    condition = names("rvc", "retrieval-based-voice-conversion")
    assert condition.holds(reply({"status": "ok", "service": said}))
    assert condition.holds(reply({"app": said}))
    assert not condition.holds(reply({"message": said}))


@pytest.mark.parametrize("said", ["", "server-vcx", "servervc", "rv", "serv rvcs", 3, None, ["rvc"], {"rvc": 1}])
def test_a_service_is_not_named_by_parts_of_words(said: object) -> None:
    assert not names("rvc").holds(reply({"service": said}))


@pytest.mark.parametrize("said", ["Wan2GP", "wan2gp", "WanGP", "wan-2-gp", "WAN2GP v12", "Wan2GP_API"])
def test_names_with_digits_and_capitals(said: str) -> None:
    assert names("wan2gp", "wangp").holds(reply({"name": said}))


def test_a_header_is_found_by_its_lower_case_name() -> None:
    twice = Reply("/", 200, (("server", "a"), ("server", "b")))
    assert twice.header("server") == "a" and twice.header("x") == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("  null", None),
        ('"x"', "x"),
        ("-1", -1),
        ("", NOT_JSON),
        ("   ", NOT_JSON),
        ("hello", NOT_JSON),
        ("<html>", NOT_JSON),
        ("{", NOT_JSON),
        ("1" * 5000, NOT_JSON),
        ("[" * 64 + "]" * 64, "deep"),
        ("[" * 65 + "]" * 65, NOT_JSON),
        ("[" * 500_000, NOT_JSON),
        ('{"a":' * 100_000, NOT_JSON),
        ("[" + "[]," * 1000 + "[]]", "wide"),
        (json.dumps("[" * 1000), "[" * 1000),
        (json.dumps(["[{" * 100, '\\"[' * 100]), ["[{" * 100, '\\"[' * 100]),
    ],
)
def test_json_of_any_depth(text: str, value: object) -> None:
    parsed = parse_json(text)
    if value in ("deep", "wide"):
        assert isinstance(parsed, list)
    else:
        assert parsed == value


@given(st.text() | st.text(alphabet='[]{}",:\\0aNIe-. \n', max_size=400))
def test_parsing_never_raises(text: str) -> None:
    parse_json(text)


@given(JSON)
def test_parsing_gives_what_was_written(data: object) -> None:
    text = json.dumps(data)
    assert json.dumps(parse_json(text)) == text


CONDITIONS = (
    status(200),
    header("server", "x"),
    body("x"),
    has("a.b", "*.0"),
    equals("a.*", 1, "x"),
    matches("*", "x", at_least=2),
    exactly("a", frozenset({"b"})),
    names("rvc"),
)


@given(JSON, st.text(), st.integers(), st.text(max_size=20))
def test_conditions_never_raise(data: object, text: str, code: int, pointer: str) -> None:
    answer = reply(data, text, code, server=text)
    for condition in (*CONDITIONS, has(pointer), equals(pointer, data), unless(either(*CONDITIONS))):
        assert condition.holds(answer) in (True, False)


@pytest.mark.parametrize(
    "unit",
    ["1,", "[],", "{},", '{"a":1},', "[" * 60 + "]" * 60 + ",", '"aa",', "1e9,"],
)
def test_json_that_costs_much_more_than_its_size_is_none(unit: str) -> None:
    """A megabyte of empty lists takes 43 of memory, and a third of a second in which nothing else is done."""

    def crowd(octets: int) -> str:
        return f"[{(unit * (octets // len(unit))).rstrip(',')}]"

    assert parse_json(crowd(1024 * 1024)) is NOT_JSON
    assert parse_json(crowd(64 * 1024)) is NOT_JSON or len(unit) >= 5
    assert parse_json(crowd(4 * 1024)) is not NOT_JSON, "what is short is cheap"


def test_a_page_as_large_and_as_crowded_as_real_ones_get_is_json() -> None:
    component = {
        "id": 1,
        "type": "dropdown",
        "props": {"choices": [[f"model-{n}.safetensors"] * 2 for n in range(15)], "label": "x"},
    }
    page = json.dumps({"components": [component] * 1300, "version": "5.0", "dependencies": []}, separators=(",", ":"))
    assert 400_000 < len(page) < 1024 * 1024
    assert isinstance(parse_json(page), dict)
