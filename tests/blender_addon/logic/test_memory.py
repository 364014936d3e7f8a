"""Services are kept until the next start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blender_addon.logic.memory import last_known, not_checked, remembered
from hybridisco import Service, Status
from tests.formats.samples import BUSY, GONE, LOCKED, service


@pytest.mark.parametrize("one", [service(), LOCKED, BUSY, GONE], ids=lambda one: one.name)
def test_what_was_known_comes_back_and_is_marked(one: Service) -> None:
    back = last_known(remembered(one))
    assert back is not None
    same = ("id", "kind", "name", "host", "url", "version", "sources", "last_seen")
    assert {name: getattr(back, name) for name in same} == {name: getattr(one, name) for name in same}
    assert (back.status, back.verified, back.problem) == (Status.STALE, False, not_checked())
    assert remembered(back) == replace(remembered(one), status="stale")


def test_one_that_was_not_trusted_does_not_come_back_as_any_other() -> None:
    assert last_known(remembered(service(status=Status.UNTRUSTED))) is None


@pytest.mark.parametrize(
    "wrong", [{"url": ""}, {"url": "http://"}, {"url": "gpu-box"}, {"service_id": ""}, {"kind": ""}]
)
def test_what_makes_no_sense_is_forgotten(wrong: dict[str, str]) -> None:
    assert last_known(replace(remembered(service()), **wrong)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"service_id": "a\x1b[2J"}, {"service_id": "x" * 301}, {"kind": "a\nb"}])
def test_what_was_tampered_with_is_forgotten(wrong: dict[str, str]) -> None:
    assert last_known(replace(remembered(service()), **wrong)) is None  # type: ignore[arg-type]


def test_a_name_is_made_clean_again() -> None:
    back = last_known(replace(remembered(service()), title="Comfy\x1b[31m\u202eUI\n" + "x" * 9999))
    assert back is not None and back.name.startswith("Comfy[31mUI") and len(back.name) <= 80


def test_sources_that_nobody_knows_any_more_are_left_out() -> None:
    back = last_known(replace(remembered(service()), sources="mdns,telepathy"))
    assert back is not None and [str(name) for name in back.sources] == ["mdns"]
