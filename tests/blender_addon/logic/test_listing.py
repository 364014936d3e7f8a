"""Which rows, in which order."""

from __future__ import annotations

import pytest

from blender_addon.logic.listing import HOST, KIND, LATENCY, NAME, SORTS, STATUS, Wanted, listed, visible
from hybridisco import Service, SourceName
from tests.formats.samples import BUSY, GONE, LOCKED, service

COMFYUI = service()
NAMELESS = service(id="http@localhost:8080", kind="http", name="localhost:8080", sources=(SourceName.PROBE,))
WRITTEN = service(id="http@box:80", kind="http", name="box:80", sources=(SourceName.MANUAL,))
ALL = (COMFYUI, LOCKED, BUSY, GONE, NAMELESS)


def names(services: tuple[Service, ...]) -> list[str]:
    return [one.name for one in services]


def test_a_nameless_server_is_shown_only_if_it_was_written_down() -> None:
    assert visible([NAMELESS, WRITTEN], ()) == (WRITTEN,)


def test_what_is_ignored_is_not_there() -> None:
    assert listed(ALL, Wanted(ignored=frozenset({LOCKED.id, GONE.id}))) == (COMFYUI, BUSY)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(search="STUDIO"), [BUSY]),
        (Wanted(search="gpu box"), [COMFYUI]),
        (Wanted(search="10.77"), [COMFYUI]),
        (Wanted(search="0.3.64"), [COMFYUI]),
        (Wanted(search="voice machine"), [GONE]),
        (Wanted(search="nothing like it"), []),
        (Wanted(kind="wan2gp"), [BUSY]),
        (Wanted(status="unreachable"), [GONE]),
        (Wanted(kind="wan2gp", status="online"), []),
        (Wanted(search="   "), [COMFYUI, LOCKED, GONE, BUSY]),
    ],
)
def test_search_and_filters(wanted: Wanted, found: list[Service]) -> None:
    assert list(listed(ALL, wanted)) == found
    assert wanted.narrows == (wanted != Wanted(search="   "))


@pytest.mark.parametrize(
    ("sort_by", "order"),
    [
        (NAME, [COMFYUI, LOCKED, GONE, BUSY]),
        (STATUS, [COMFYUI, BUSY, LOCKED, GONE]),
        (KIND, [COMFYUI, LOCKED, GONE, BUSY]),
        (LATENCY, [LOCKED, COMFYUI, BUSY, GONE]),
        (HOST, [COMFYUI, LOCKED, GONE, BUSY]),
    ],
)
def test_every_order(sort_by: str, order: list[Service]) -> None:
    assert names(listed(ALL, Wanted(sort_by=sort_by))) == names(tuple(order))
    assert names(listed(ALL, Wanted(sort_by=sort_by, reverse=True))) == names(tuple(reversed(order)))
    assert sort_by in SORTS


def test_equal_ones_have_an_order_too() -> None:
    twins = [service(id=name, name="Twin") for name in "bac"]
    assert [one.id for one in listed(twins, Wanted())] == ["a", "b", "c"]
