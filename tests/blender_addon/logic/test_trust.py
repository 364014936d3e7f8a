"""What is not to be trusted is counted, and known by the id that it claims."""

from __future__ import annotations

from blender_addon.logic.listing import STATUS, Wanted, listed
from blender_addon.logic.trust import announced_id, count_untrusted, untrusted
from hybridisco import Status
from tests.formats.samples import GONE, service

CLONE = service(id="box1~comfyui@10.77.0.2:8188")
LIAR = service(id="box1~comfyui@10.77.0.9:8188", name="Liar", status=Status.UNTRUSTED)


def test_it_is_counted() -> None:
    assert (untrusted(LIAR), untrusted(CLONE), untrusted(GONE)) == (True, False, False)
    assert count_untrusted([LIAR, CLONE, GONE]) == 1
    assert not LIAR.usable and not LIAR.alive


def test_it_is_known_by_the_id_that_it_claims() -> None:
    assert (announced_id(LIAR), announced_id(CLONE), announced_id(service())) == ("box1", CLONE.id, service().id)


def test_the_list_finds_it_and_puts_it_last() -> None:
    assert listed([LIAR, GONE, CLONE], Wanted(status="untrusted")) == (LIAR,)
    assert listed([LIAR, GONE, CLONE], Wanted(sort_by=STATUS))[-1] is LIAR
