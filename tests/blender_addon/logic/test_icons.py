"""Every kind and status has an icon."""

from __future__ import annotations

from blender_addon.logic.icons import STATUS_ICONS, every_icon, kind_icon, status_icon
from hybridisco import Status, make_config
from tests.formats.samples import service


def test_statuses_are_told_apart_by_shape() -> None:
    icons = [status_icon(service(status=status)) for status in Status]
    assert len(set(icons)) == len(icons) and set(STATUS_ICONS) == set(Status)
    assert status_icon(service(), last_known=True) not in icons


def test_every_kind_has_one() -> None:
    used = {kind_icon(kind.id, kind.capabilities) for kind in make_config({}).kinds}
    assert used <= every_icon()
    assert kind_icon("of-the-users-own", ("video",)) == "FILE_MOVIE"
    assert kind_icon("of-the-users-own") == "PLUGIN"
