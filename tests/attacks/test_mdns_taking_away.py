"""Somebody on the LAN wants a service to vanish, or to be looked for where he is."""

from __future__ import annotations

import time

import pytest

from tests.attacks.attacker import announcement, goodbyes, places
from tests.attacks.conftest import Scene
from tests.lab.wait import wait_until

pytestmark = pytest.mark.netns

LONGER_S = 4.0  # than a goodbye takes to come true, and than a check of a service lasts


def stays(scene: Scene, seconds: float = LONGER_S) -> None:
    """Look at the list for so long: the victim is always there."""
    end = time.monotonic() + seconds
    wait_until(lambda: scene.entry() is None or time.monotonic() > end, seconds + 5, "time has passed")
    scene.check_history()
    scene.watch.until(scene.fine, 5, "the victim is as it was")


@pytest.mark.parametrize("forged", [False, True], ids=["his own address", "the victim's address"])
def test_goodbye_for_somebody_else(scene: Scene, forged: bool) -> None:
    """He says goodbye in the victim's name, in every way there is. The user sees no change."""
    scene.mallory.say(*goodbyes(scene.victim), source="10.77.0.1" if forged else None)
    stays(scene)


@pytest.mark.parametrize("forged", [False, True], ids=["his own address", "the victim's address"])
def test_goodbyes_without_end(scene: Scene, forged: bool) -> None:
    """He says goodbye in the victim's name 20 times a second. The user sees no change."""
    source = "10.77.0.1" if forged else None
    with scene.mallory.going_on(*goodbyes(scene.victim)[:2], every_s=0.05, source=source):
        stays(scene, 6.0)


@pytest.mark.parametrize("forged", [False, True], ids=["his own address", "the victim's address"])
def test_cache_flush_of_the_victims_address(scene: Scene, forged: bool) -> None:
    """He says, again and again, that the victim's host is where he is, and nowhere else.

    The user sees the victim where it was. Nobody asks the attacker's server for anything of it.
    """
    forger = "10.77.0.1" if forged else None
    with scene.mallory.going_on(places(scene.victim.target, scene.mallory.address), every_s=0.4, source=forger):
        stays(scene, 6.0)
    assert scene.fake.mock.requests == []


@pytest.mark.parametrize("forged", [False, True], ids=["his own address", "the victim's address"])
def test_another_host_for_the_victims_name(scene: Scene, forged: bool) -> None:
    """He repeats the victim's announcement, signature and all, but with a host of his own in it.

    The user sees the victim where it was, at the latest after a moment. The attacker's address is not used.
    """
    lie = announcement(
        scene.victim.instance, (b"evil", b"local"), [scene.mallory.address], scene.victim.text, port=scene.victim.port
    )
    forger = "10.77.0.1" if forged else None
    with scene.mallory.going_on(lie, every_s=0.4, source=forger):
        stays(scene, 14.0)  # longer than what nobody repeats stands beside what is repeated
    for _, one in scene.watch.events:
        if scene.mallory.address in str(one["endpoints"]):
            assert one["status"] == "untrusted", one
    assert not [request for request in scene.fake.mock.requests if scene.victim.id in str(request)]
