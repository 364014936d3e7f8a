"""The chosen service is followed by its id, and by its place where the place is its id."""

from __future__ import annotations

from blender_addon.logic.choices import Choice, choice_of, followed, found, impostor, with_choice
from hybridisco import Endpoint, Status
from tests.formats.samples import LOCKED, service

ANNOUNCED = service()
BY_PLACE = service(id="comfyui@10.77.0.2:8188")
MOVED = service(endpoints=(Endpoint("10.77.0.99", 8190, reachable=True),))
LIAR = service(id=f"{ANNOUNCED.id}~comfyui@10.77.0.2:8188", status=Status.UNTRUSTED)
OTHER = service(id="zzzz5f3kq7vexnd2wmbt4ycg6u")


def test_one_service_a_kind() -> None:
    choices = with_choice(with_choice((), choice_of(ANNOUNCED)), choice_of(LOCKED))
    assert [choice.kind for choice in choices] == ["comfyui", "litellm"]
    choices = with_choice(choices, choice_of(OTHER))
    assert {choice.kind: choice.service_id for choice in choices} == {"comfyui": OTHER.id, "litellm": LOCKED.id}


def test_it_is_followed_to_another_address() -> None:
    (choice,) = followed([choice_of(ANNOUNCED)], [OTHER, MOVED])
    assert choice == Choice("comfyui", ANNOUNCED.id, "ComfyUI on gpu-box", "http://10.77.0.99:8190")


def test_one_that_is_gone_stays_chosen() -> None:
    chosen = choice_of(ANNOUNCED)
    assert found(chosen, [LOCKED]) is None
    assert followed([chosen], [LOCKED]) == (chosen,)


def test_when_it_begins_to_be_announced_the_choice_goes_along() -> None:
    (choice,) = followed([choice_of(BY_PLACE)], [ANNOUNCED])
    assert choice.service_id == ANNOUNCED.id
    (back,) = followed([choice], [BY_PLACE])
    assert back.service_id == BY_PLACE.id


def test_another_announced_service_at_its_place_is_another_service() -> None:
    assert found(choice_of(ANNOUNCED), [OTHER]) is None


def test_another_kind_at_its_place_is_another_service() -> None:
    assert found(choice_of(BY_PLACE), [service(kind="koboldcpp")]) is None


def test_another_kind_under_its_id_is_another_service() -> None:
    """Anybody on the LAN can announce an id that he has heard."""
    liar = service(kind="litellm")
    assert found(choice_of(ANNOUNCED), [liar]) is None
    assert followed([choice_of(ANNOUNCED)], [liar]) == (choice_of(ANNOUNCED),)


def test_the_id_goes_before_the_place() -> None:
    chosen = choice_of(BY_PLACE)
    assert found(chosen, [ANNOUNCED, BY_PLACE]) is BY_PLACE


def test_one_that_is_not_trusted_is_never_followed_to() -> None:
    """Neither by the id that it claims, nor by its place, nor by an id that was chosen before it was found out."""
    for chosen in (ANNOUNCED, BY_PLACE, LIAR):
        assert found(choice_of(chosen), [LIAR]) is None
        assert followed([choice_of(chosen)], [LIAR]) == (choice_of(chosen),)


def test_it_is_told_that_the_chosen_one_is_not_trusted_now() -> None:
    assert impostor(choice_of(ANNOUNCED), [OTHER, LIAR]) is LIAR
    assert impostor(choice_of(ANNOUNCED), [OTHER]) is None
    assert impostor(choice_of(OTHER), [LIAR]) is None
    assert impostor(choice_of(ANNOUNCED), [LIAR, MOVED]) is None, "the true one is there, too"
