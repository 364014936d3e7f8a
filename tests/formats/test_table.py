"""The table: readable at any width, and never without the URL."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hybridisco.core.duration import latency
from hybridisco.core.model import Snapshot, SourceName, SourceState, Status, Trust
from hybridisco.formats import Look, render
from tests.formats.samples import BUSY, GONE, LOCKED, TYPICAL, service, snapshot

AT_80 = """\
STATUS         NAME                URL
● online       ComfyUI on gpu-box  http://10.77.0.2:8188
               comfyui 0.3.64 · mdns, probe · 1.2 ms
◆ locked       LiteLLM             http://127.0.0.1:4000
               litellm · probe · 0.6 ms
               LiteLLM at http://127.0.0.1:4000 wants a login or a key before it
               says more. Log in in your browser, or give the key to the program
               that uses it; Hybridisco sends none.
✗ unreachable  The voice machine   http://old-box:7865
               rvc · manual
               The name old-box is not known. Probably it is misspelt or the
               machine is off. Check the name, or write the machine's IP address
               instead.
◐ busy         Wan2GP on studio
               http://[fe80::1a2b:3c4d:5e6f:7a8b%25eth0]:7860
               wan2gp 8.994 · mdns · 14 ms

4 services: 1 online, 1 busy, 1 locked, 1 unreachable · 314 ms"""

AT_120 = """\
STATUS         NAME                KIND            URL                                             FOUND BY     LATENCY
● online       ComfyUI on gpu-box  comfyui 0.3.64  http://10.77.0.2:8188                           mdns, probe   1.2 ms
◆ locked       LiteLLM             litellm         http://127.0.0.1:4000                           probe         0.6 ms
               LiteLLM at http://127.0.0.1:4000 wants a login or a key before it says more. Log in in your browser,
               or give the key to the program that uses it; Hybridisco sends none.
✗ unreachable  The voice machine   rvc             http://old-box:7865                             manual
               The name old-box is not known. Probably it is misspelt or the machine is off. Check the name, or
               write the machine's IP address instead.
◐ busy         Wan2GP on studio    wan2gp 8.994    http://[fe80::1a2b:3c4d:5e6f:7a8b%25eth0]:7860  mdns           14 ms

4 services: 1 online, 1 busy, 1 locked, 1 unreachable · 314 ms"""


@pytest.mark.parametrize(("width", "picture"), [(80, AT_80), (120, AT_120)])
def test_pictures(width: int, picture: str) -> None:
    assert render("table", TYPICAL, Look(width)) == picture


def test_colours_only_when_asked() -> None:
    assert "\x1b" not in render("table", TYPICAL, Look(120))
    coloured = render("table", TYPICAL, Look(120, color=True))
    assert "\x1b[32m● online" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).replace(" \n", "\n").rstrip() == AT_120


def test_ascii_where_the_terminal_has_no_more() -> None:
    text = render("table", snapshot(service(name="Größe"), BUSY), Look(80, unicode=False))
    assert text.isascii()
    assert "Gr??e" in text


def test_wide_characters_keep_the_columns() -> None:
    lines = render("table", snapshot(service(name="画像生成"), service(name="x")), Look(120)).splitlines()
    starts = {cell_len(line[: line.index("comfyui")]) for line in lines[1:3]}
    assert len(starts) == 1


def test_nothing_is_no_table() -> None:
    assert render("table", Snapshot()) == ""


@pytest.mark.parametrize("width", [80, 160])
def test_ids_are_shown_whole_to_those_who_want_them(width: int) -> None:
    text = render("table", TYPICAL, Look(width, ids=True))
    assert all(one.id in text for one in TYPICAL.services)
    assert BUSY.id not in render("table", TYPICAL, Look(width))


def test_a_kind_that_nobody_knows_is_a_question_mark() -> None:
    line = render("table", snapshot(service(kind="http", name="gpu-box:8188", version=None)), Look(120)).splitlines()[1]
    assert "  gpu-box:8188  ?     http://" in line


@pytest.mark.parametrize(
    ("trust", "checking", "shown"),
    [
        (Trust.UNSIGNED, True, "mdns (unsigned), probe"),
        (Trust.UNCHECKED, True, "mdns (unchecked), probe"),
        (Trust.UNCHECKED, False, "mdns, probe"),  # trust.mode is "off": nobody asked for a check
        (Trust.PINNED, True, "mdns, probe"),
    ],
)
def test_an_announcement_that_may_be_forged_is_marked(trust: Trust, checking: bool, shown: str) -> None:
    text = render("table", snapshot(service(trust=trust)), Look(200, checking=checking))
    assert f"  {shown}  " in text
    found = service(trust=trust, sources=(SourceName.PROBE,))
    assert "(" not in render("table", snapshot(found), Look(200, checking=checking))


def test_the_footer_tells_what_went_wrong() -> None:
    partial = SourceState("partial", "these hosts have no address: gpu-bx")
    sources = ((SourceName.MDNS, SourceState("error", "no interface")), (SourceName.PROBE, partial))
    shot = snapshot(service(), sources=sources, complete=False, warnings=("The id x answers twice.",))
    text = render("table", shot, Look(100))
    assert "1 service: 1 online" in text
    assert "before all answers had come" in text
    assert "probe: these hosts have no address: gpu-bx" in text
    assert "mdns: no interface" in text
    assert "Warning: The id x answers twice." in text


@pytest.mark.parametrize(
    ("ms", "shown"), [(None, ""), (0.04, "0.0 ms"), (9.94, "9.9 ms"), (9.96, "10 ms"), (999, "999 ms"), (1234, "1.2 s")]
)
def test_latency(ms: float | None, shown: str) -> None:
    assert latency(ms) == shown


SERVICES = st.builds(
    lambda status, name, base: service(
        status=status, name=name, problem=base.problem, endpoints=base.endpoints, version=base.version
    ),
    st.sampled_from(Status),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=80),
    st.sampled_from([GONE, LOCKED, BUSY, service()]),
)


@given(st.lists(SERVICES, min_size=1, max_size=4), st.integers(20, 200), st.booleans())
def test_every_url_is_whole_and_no_line_is_too_long(services: list, width: int, unicode: bool) -> None:  # type: ignore[type-arg]
    text = render("table", snapshot(*services), Look(width, unicode=unicode))
    for one in services:
        assert one.url in text
    if width >= 62:  # the longest URL and its indent
        assert max(map(cell_len, text.splitlines())) <= width
