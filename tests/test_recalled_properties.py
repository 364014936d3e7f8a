"""Whatever else is said, what is only remembered proves itself, and never speaks for an owner."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybridisco.core.model import Announcement, Endpoint, SourceName
from tests.say import NOW
from tests.tiny_world import ADDRESSES, HOSTS, IDS, INTERFACES, PORTS, Step, do, histories, new_registry


@st.composite
def recalled(draw: st.DrawFn) -> Announcement:
    """A claim out of the memory."""
    literal, _, zone = draw(st.sampled_from(ADDRESSES)).partition("%")
    endpoint = Endpoint(literal, draw(st.sampled_from(PORTS)), interface=zone or INTERFACES.get(literal))
    return Announcement(
        SourceName.PROBE,
        f"recalled {draw(st.integers(0, 2))}",
        (endpoint,),
        kind=draw(st.sampled_from(["comfyui", "wan2gp"])),
        id=draw(st.sampled_from(IDS)),
        host=draw(st.sampled_from(HOSTS)),
        signer=draw(st.sampled_from([None, "ours"])),
        recalled=True,
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """Things that happen, with memories in between."""
    steps = draw(histories())
    for claim in draw(st.lists(recalled(), min_size=1, max_size=4)):
        steps.insert(draw(st.integers(0, len(steps))), claim)
    return steps


@given(stories())
def test_nobody_else_is_shown_in_an_owners_name(steps: list[Step]) -> None:
    registry = new_registry()
    for number, step in enumerate(steps):
        do(registry, step, NOW + number)
        for service in registry.snapshot():
            name = Announcement(SourceName.PROBE, "", (), id=service.id.partition("~")[0])
            assert SourceName.MDNS in service.sources or not registry.has_owner(name)


@given(stories())
def test_where_somebody_speaks_of_it_the_memory_is_gone(steps: list[Step]) -> None:
    registry, plain = new_registry(), new_registry()
    told = [step for step in steps if not (isinstance(step, Announcement) and step.recalled)]
    for number, step in enumerate(steps):
        do(registry, step, NOW + number)
        if step in told:
            do(plain, step, NOW + number)
    places = {(end.dial, end.port) for service in plain.snapshot() for end in service.endpoints}
    for service in registry.snapshot():
        if plain.snapshot().get(service.id) is None:  # it is there because it was remembered, and has answered
            assert service.sources == (SourceName.MDNS, SourceName.PROBE)
            assert not places & {(end.dial, end.port) for end in service.endpoints}


@given(stories())
def test_what_is_remembered_and_nobody_looked_at_is_nowhere(steps: list[Step]) -> None:
    registry = new_registry()
    for number, step in enumerate(steps):
        if isinstance(step, Announcement) and step.recalled:
            do(registry, step, NOW + number)
    assert len(registry.snapshot()) == 0
