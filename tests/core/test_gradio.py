"""Gradio's page: `/config`, the index, and the login's index, from 3.x to 6.x."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.core.conditions import NOT_JSON, Reply
from hybridisco.core.fingerprint import read_json
from hybridisco.core.gradio import page

from .test_conditions import JSON

CONFIG: dict[str, Any] = {
    "version": "3.34.0\n",
    "title": " RVC WebUI ",
    "components": [
        {"id": 1, "type": "markdown", "props": {"value": "## RVC", "elem_id": "head"}},
        {"id": 2, "type": "dropdown", "props": {"choices": ["a", ["b", "B"], 3, []], "value": ["a"]}},
        {"id": 3, "type": "html", "props": {"value": "x" * 5000}},
    ],
    "dependencies": [{"api_name": "infer_convert"}, {"api_name": None}, {"api_name": False}, {}],
}


def look(text: str, code: int = 200) -> Any:
    return page(read_json(Reply("/config", code, (), text)))


def index(config: object, api: object = None, *titles: str) -> str:
    metas = "".join(f'<meta property="og:title" content="{title}" />\n' for title in titles)
    scripts = f"<script>window.gradio_config = {json.dumps(config)};</script>"
    if api is not None:
        scripts += f"<script>window.gradio_api_info = {json.dumps(api)};</script>"
    return f"<!doctype html><html><head>{metas}{scripts}</head></html>"


def test_what_config_tells() -> None:
    seen = look(json.dumps(CONFIG))
    assert seen["version"] == "3.34.0" and seen["title"] == "RVC WebUI" and seen["auth_required"] is False
    assert seen["api_names"] == ["infer_convert"]
    assert seen["elem_ids"] == ["head"]
    assert seen["choices"] == ["a", "b"]
    assert seen["texts"][0] == "## RVC" and len(seen["texts"][1]) == 1200


def test_the_index_tells_the_same() -> None:
    assert look(index(CONFIG)) == look(json.dumps(CONFIG))


def test_a_login_tells_functions_and_title() -> None:
    stub = {"auth_required": True, "components": [], "dependencies": []}
    seen = look(index(stub, {"named_endpoints": {"/infer_convert": {}}}, "Gradio", "My app"))
    assert seen["auth_required"] is True and seen["version"] is None
    assert seen["api_names"] == ["infer_convert"] and seen["title"] == "My app"


def test_a_login_of_gradio_3_tells_nothing() -> None:
    seen = look(index({"auth_required": True}, None, "Gradio", ""))
    assert seen["auth_required"] is True and seen["title"] is None and seen["api_names"] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"version": "1"}',
        '{"version": "1", "components": []}',
        '{"detail": "Not authenticated"}',
        '{"auth_required": "yes"}',
        "<html>window.gradio_config = {",
        "<script>window.gradio_config = {};</script>",
        "<script>window.gradio_config = {broken;</script>",
    ],
)
def test_what_is_not_gradio(text: str) -> None:
    assert look(text) is NOT_JSON


@pytest.mark.parametrize(
    "change",
    [
        {"components": None},
        {"components": {"a": 1}},
        {"components": [None, 3, {"props": 3}, {"props": {"value": 3, "elem_id": None, "choices": {}}}]},
        {"dependencies": None},
        {"dependencies": [None, 1, {"api_name": {}}]},
        {"title": 3},
        {"version": {"deep": []}},
    ],
)
def test_odd_parts_are_passed_over(change: dict[str, object]) -> None:
    assert look(json.dumps(CONFIG | change)) is not NOT_JSON


@given(st.dictionaries(st.sampled_from([*CONFIG, "auth_required"]), JSON), JSON, st.text(max_size=30))
def test_no_page_makes_it_raise(change: dict[str, object], api: object, text: str) -> None:
    config = CONFIG | change
    for answer in (json.dumps(config), index(config, api, text), index(config)[: len(text) * 20], text):
        seen = look(answer)
        assert seen is NOT_JSON or seen["version"] is None or isinstance(seen["version"], str)
