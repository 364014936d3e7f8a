"""Somebody on the LAN pretends to be another's service, or to be at another's place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hybridisco.trust.signing import SigningKey
from tests.attacks.attacker import announcement, signed, unsigned
from tests.attacks.conftest import Scene
from tests.e2e.app import Json, Watch, announced, command
from tests.e2e.backends import Backends
from tests.e2e.conftest import Studio
from tests.lab.net import Host

pytestmark = pytest.mark.netns

OWN_KEY = SigningKey(b"m" * 32)
WITHIN_S = 10.0
LONGER_S = 20.0  # than what nobody repeats under a name stands beside what is repeated, and a sidecar repeats itself
ELSEWHERE = (b"evil", b"local")


def state_of(host: Host) -> Path:
    """Where a host's sidecar keeps its ids and its key."""
    return host.directory / "home" / ".local" / "state" / "hybridisco"


def at(services: list[Json], address: str) -> Json | None:
    """The entry that has an address."""
    return next((one for one in services if any(end["address"] == address for end in one["endpoints"])), None)


def refused(services: list[Json], address: str) -> bool:
    """Whether what is there is shown, as untrusted and with a reason."""
    one = at(services, address)
    return one is not None and one["status"] == "untrusted" and bool(one["problem"])


# -- with another key -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [b"ComfyUI on mallory", None], ids=["another name", "the victim's name"])
@pytest.mark.parametrize("key", [None, OWN_KEY], ids=["unsigned", "another key"])
def test_the_victims_id(scene: Scene, key: SigningKey | None, name: bytes | None) -> None:
    """He announces his own server with the victim's id, unsigned or signed with a key of his own.

    The user sees it beside the victim as `untrusted`, with the reason. The victim's entry is unharmed.
    """
    mallory, victim = scene.mallory, scene.victim
    text = unsigned(victim.pairs) if key is None else signed(victim.pairs, 8188, [mallory.address], key, time.time())
    instance = victim.instance if name is None else (name, *victim.instance[1:])
    lie = announcement(instance, ELSEWHERE, [mallory.address], text)
    with mallory.going_on(lie, every_s=0.5):
        shown = scene.watch.until(lambda now: refused(now, mallory.address), WITHIN_S, "it is refused")
        liar = at(shown, mallory.address)
        assert liar is not None
        assert liar["id"] != victim.id
        assert "WARNING" in liar["problem"]
        assert liar["trust"] == "untrusted" and not liar["verified"]
        end = time.monotonic() + (0.0 if name else LONGER_S)
        scene.watch.until(lambda _: time.monotonic() > end, LONGER_S + 1, "he goes on for a while")
        scene.watch.until(scene.fine, WITHIN_S, "the victim is as it was")
    scene.check_history()


def test_the_victims_place(scene: Scene) -> None:
    """He announces a service with no id, or one of his own, at the victim's address and, beside it, at his.

    The user sees the victim where it was, without the attacker's address: nobody may extend somebody else's entry.
    """
    mallory = scene.mallory
    for text in (b"\x0ckind=comfyui", b"\x0ckind=comfyui\x05id=me"):
        lie = announcement((b"helpful", *scene.victim.instance[1:]), ELSEWHERE, ["10.77.0.1", mallory.address], text)
        mallory.say(lie)
    marker = announcement((b"marker", *scene.victim.instance[1:]), (b"m", b"local"), ["10.77.0.2"], port=8189)
    mallory.say(marker)  # packets are taken in order
    scene.watch.until(lambda now: any(one["name"] == "marker" for one in now), WITHIN_S, "all was heard")
    scene.watch.until(scene.fine, WITHIN_S, "the victim is as it was")
    scene.check_history()


# -- key change -----------------------------------------------------------------------------------------


@pytest.mark.timeout(90)
@pytest.mark.parametrize("polite", [True, False], ids=["with a goodbye", "without"])
def test_key_change(scene: Scene, polite: bool) -> None:
    """The box comes back with the same id and another key: it was set up anew, or it is somebody else.

    The user sees it as `untrusted`, with a warning that names the command. After that it is online again.
    """
    (scene.sidecar.stop if polite else scene.sidecar.kill)()
    if polite:
        scene.watch.until_gone(WITHIN_S)
    (state_of(scene.box) / "key.json").unlink()
    announced(scene.box, "comfyui", 8188)
    shown = scene.watch.until(lambda now: refused(now, "10.77.0.1"), 30, "it is refused")
    one = at(shown, "10.77.0.1")
    assert one is not None
    assert one["problem"].startswith("WARNING")
    assert f"hybridisco trust accept {scene.victim.id}" in one["problem"]
    scene.studio.desk.run(command("trust", "accept", scene.victim.id, "--yes"))
    back = scene.watch.until(
        lambda now: len(now) == 1 and scene.fine(now) and now[0]["trust"] == "pinned", WITHIN_S, "it is online again"
    )
    assert back[0]["problem"] is None


# -- replay ---------------------------------------------------------------------------------------------


def test_replay_from_another_address(scene: Scene) -> None:
    """He repeats what the victim has signed, with his own address. The user sees it as `untrusted`."""
    mallory, victim = scene.mallory, scene.victim
    lie = announcement((b"twin", *victim.instance[1:]), ELSEWHERE, [mallory.address], victim.text)
    with mallory.going_on(lie, every_s=0.5):
        shown = scene.watch.until(lambda now: refused(now, mallory.address), WITHIN_S, "it is refused")
        assert "does not fit" in (at(shown, mallory.address) or {})["problem"]
        scene.watch.until(scene.fine, WITHIN_S, "the victim is as it was")
    scene.check_history()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", [None, b"twin"], ids=["the victim's name", "another name"])
def test_replay_from_the_victims_old_address(scene: Scene, name: bytes | None) -> None:
    """The victim gets another address; he takes the old one, and repeats what was true there.

    The user sees the victim at its new address, and nothing at the old one that could be taken for it.
    """
    card, mallory, victim = scene.box.interfaces[0], scene.mallory, scene.victim
    card.remove_address("10.77.0.1/24")
    card.add_address("10.77.0.99/24")
    scene.watch.until(
        lambda now: (
            scene.fine(now) and any(e["address"] == "10.77.0.99" for e in (scene.entry(now) or {})["endpoints"])
        ),
        WITHIN_S,
        "the victim has moved",
    )
    mallory.host.interfaces[0].add_address("10.77.0.1/24")
    instance = victim.instance if name is None else (name, *victim.instance[1:])
    lie = announcement(instance, ELSEWHERE if name else victim.target, ["10.77.0.1"], victim.text)
    moved = len(scene.watch.events)
    with mallory.going_on(lie, every_s=0.5, source="10.77.0.1"):
        end = time.monotonic() + LONGER_S
        scene.watch.until(lambda _: time.monotonic() > end, LONGER_S + 1, "he goes on for a while")
        scene.watch.until(scene.fine, WITHIN_S, "the victim is where it is")
    for event, one in scene.watch.events[moved:]:
        assert (event, one["id"]) != ("removed", victim.id), "the victim was taken away"
        assert at([one], "10.77.0.1") is None or one["status"] == "untrusted", one


# -- only pinned keys -----------------------------------------------------------------------------------


def test_a_studio_that_accepts_only_known_keys(studio: Studio, backends: Backends) -> None:
    """Somebody brings a box that signs with a good key, which is not among the studio's.

    The user sees it as `untrusted`, and, after the studio's keys were imported, as online.
    """
    office = studio.lab.host("office")
    studio.lan.join(office)
    backends(studio.gpu_box, "comfyui", 8188)
    announced(studio.gpu_box, "comfyui", 8188)
    Watch(office).until(lambda now: bool(now) and now[0].get("trust") == "pinned", 15, "the office knows the key")
    settings = studio.desk.directory / "home" / ".config" / "hybridisco" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[trust]\nmode = "pinned"\n', "utf-8")
    watch = Watch(studio.desk)
    (one,) = watch.until(lambda now: bool(now) and now[0]["status"] == "untrusted", WITHIN_S, "it is refused")
    assert "hybridisco trust import" in one["problem"]
    exported = office.run(command("trust", "export")).stdout
    studio.desk.run(command("trust", "import", "-"), input=exported)
    (one,) = watch.until_online(limit_s=WITHIN_S)
    assert one["trust"] == "pinned"
