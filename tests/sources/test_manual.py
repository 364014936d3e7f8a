"""What the user wrote down is always shown, and follows its name."""

from __future__ import annotations

import asyncio

import pytest

from hybridisco.config import ManualEntry
from hybridisco.core.model import SourceName
from hybridisco.core.target import parse
from hybridisco.kinds import BUILTIN
from hybridisco.sources import manual
from hybridisco.sources.manual import ManualSource
from tests.sources.conftest import Recorder, running


@pytest.fixture
def sink() -> Recorder:
    return Recorder()


def entry(url: str, kind: str | None = None, name: str | None = None) -> ManualEntry:
    return ManualEntry(kind, parse(url), name, url)


async def said(sink: Recorder, *entries: ManualEntry) -> dict[str, list[str]]:
    source = ManualSource(entries, BUILTIN)
    assert source.state.state == "running"
    async with running(source, sink):
        await asyncio.wait_for(source.settled(), 10)
        assert source.state.state == "ok"
    return {ref: [end.url for end in one.endpoints] for ref, one in sink.standing.items()}


async def test_every_entry_is_announced(sink: Recorder) -> None:
    found = await said(
        sink,
        entry("http://10.77.0.1:8188/base", "comfyui", "Rendering"),
        entry("https://10.77.0.2", "litellm"),
        entry("localhost:7860"),
        entry("[fe80::1%lo]:8188"),
    )
    assert found == {
        "http://10.77.0.1:8188/base": ["http://10.77.0.1:8188/base"],
        "https://10.77.0.2": ["https://10.77.0.2"],
        "localhost:7860": ["http://127.0.0.1:7860", "http://[::1]:7860"],
        "[fe80::1%lo]:8188": ["http://[fe80::1%25lo]:8188"],
    }
    first = sink.standing["http://10.77.0.1:8188/base"]
    assert (first.source, first.kind, first.name, first.host) == (
        SourceName.MANUAL,
        "comfyui",
        "Rendering",
        "10.77.0.1",
    )
    assert all(one.standing and one.finding is None for one in sink.standing.values())


async def test_an_entry_without_a_port_has_its_kinds_usual_one(sink: Recorder) -> None:
    found = await said(sink, entry("10.0.0.1", "comfyui"), entry("10.0.0.2", "rvc"), entry("10.0.0.3"))
    assert found == {
        "10.0.0.1": ["http://10.0.0.1:8188"],
        "10.0.0.2": ["http://10.0.0.2:7865"],
        "10.0.0.3": ["http://10.0.0.3"],
    }


async def test_a_name_that_is_not_known_is_shown_all_the_same(sink: Recorder) -> None:
    found = await said(sink, entry("no-such-host.invalid:8188", "comfyui"))
    assert found == {"no-such-host.invalid:8188": ["http://no-such-host.invalid:8188"]}
    (one,) = sink.standing.values()
    assert [end.address for end in one.endpoints] == [""]


async def test_no_entries_are_settled_at_once(sink: Recorder) -> None:
    assert await said(sink) == {}


async def test_a_name_is_followed_to_its_new_address(sink: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["10.77.0.5"]

    async def resolve(host: str, zone: str | None = None) -> tuple[tuple[str, None], ...]:
        return tuple((address, None) for address in addresses)

    monkeypatch.setattr(manual, "resolve", resolve)  # stands for a name server
    monkeypatch.setattr(manual, "_RESOLVE_EVERY_S", 0.01)
    source = ManualSource([entry("gpu-box:8188", "comfyui")])

    def dialled() -> list[str]:
        return [end.address for one in sink.standing.values() for end in one.endpoints]

    async with running(source, sink):
        await sink.until(lambda: dialled() == ["10.77.0.5"])
        addresses[:] = ["10.77.0.6", "fd77::6"]
        await sink.until(lambda: dialled() == ["10.77.0.6", "fd77::6"])
        addresses.clear()
        await sink.until(lambda: dialled() == [""])
        assert len(sink.log) == 3, "it is told only when it changed"
    assert {end.host for one in sink.standing.values() for end in one.endpoints} == {"gpu-box"}


async def test_other_entries_take_the_place_of_the_first(sink: Recorder) -> None:
    source = ManualSource([entry("http://10.0.0.1:8188"), entry("http://10.0.0.2:8188")])
    async with running(source, sink):
        await sink.until(lambda: len(sink.standing) == 2)
        source.set_entries([entry("http://10.0.0.2:8188"), entry("http://10.0.0.3:8188")])
        assert source.state.state == "running"
        await asyncio.wait_for(source.settled(), 10)
        assert set(sink.standing) == {"http://10.0.0.2:8188", "http://10.0.0.3:8188"}
        assert len(sink.log) == 4, "what stays is not told again"


async def test_a_name_that_takes_long_holds_up_no_other(sink: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    for_ever = asyncio.Event()

    async def resolve(host: str, zone: str | None = None) -> tuple[tuple[str, None], ...]:
        if host == "slow":
            await for_ever.wait()
        return ((host, None),)

    monkeypatch.setattr(manual, "resolve", resolve)  # stands for a name server
    async with running(ManualSource([entry("slow:8188"), entry("10.0.0.2:8188")]), sink):
        await sink.until(lambda: set(sink.standing) == {"10.0.0.2:8188"})
