"""One backend over time: when it is announced, what of it, and what is said about that."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

import pytest

from announcers import backend as module
from announcers.assignment import Assignment
from announcers.backend import TXT_EVERY_S, Backend
from announcers.gpu import Gpu
from announcers.look import Look, Reach
from hybridisco import Endpoint, Finding, Probe, Status
from hybridisco.kinds import BUILTIN

KINDS = {kind.id: kind for kind in BUILTIN}
TITLES = {kind.id: kind.title for kind in BUILTIN}
JOB = Assignment(KINDS["comfyui"], 8188)
ID = "abcdefghijklmnopqrstuvwxyz"
LAN, LOCAL = Endpoint("10.77.0.1", 8188), Endpoint("127.0.0.1", 8188)

GOOD = Finding(Status.ONLINE, "comfyui", version="0.3.60")
BUSY = Finding(Status.BUSY, "comfyui", version="0.3.60")
LOADING = Finding(Status.STARTING)  # a 503 does not say of what


def there(finding: Finding, *addresses: str) -> Look:
    """What a look sees of a backend that the LAN can reach."""
    return Look(finding, Reach.LAN, LAN, addresses or ("10.77.0.1",))


NOBODY = Look(None, Reach.NOBODY, refused=("10.77.0.1",))
HIDDEN = Look(GOOD, Reach.LOOPBACK, LOCAL, refused=("10.77.0.1",))
OFFLINE = Look(None, Reach.OFFLINE)
HUNG = there(Finding(Status.UNREACHABLE, cause="silent"))
OTHER = there(Finding(Status.ONLINE, "litellm"))


class Tended:
    """A backend and what looks after it, without a network: ``see`` is one look and what follows from it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "announcers.backend")
        self._caplog = caplog
        self.backend = self.made()
        self.now = 1000.0
        self.rule: str | None = None
        self._next = NOBODY
        monkeypatch.setattr(module, "look", self._look)
        monkeypatch.setattr(module, "firewall_rule_against", self._rule)
        monkeypatch.setattr(module.socket, "gethostname", lambda: "gpu-box")

    def made(self, job: Assignment = JOB, gpu: Gpu | None = None, *, found: bool = False) -> Backend:
        self.backend = Backend(job, ID, "ComfyUI on gpu-box", TITLES, gpu, found=found)
        return self.backend

    async def see(self, *looks: Look, every_s: float = 5.0) -> Backend:
        for each in looks:
            self._next = each
            self.now += every_s
            await self.backend.look(Probe(BUILTIN), self.now)
            if self.backend.due(self.now):
                if self.backend.wanted is None:
                    self.backend.note_withdrawn()
                else:
                    self.backend.note_announced("ComfyUI on gpu-box", self.now)
            if self.backend.announced is None:
                self.backend.explain()
        return self.backend

    async def phases(self, looks: Iterable[Look]) -> list[str]:
        return [f"{(await self.see(each)).phase}{'' if self.backend.announced else ' silent'}" for each in looks]

    @property
    def txt(self) -> dict[str, str]:
        assert self.backend.wanted is not None
        return dict(self.backend.wanted.properties)

    @property
    def said(self) -> list[str]:
        return [record.getMessage() for record in self._caplog.records]

    async def _look(self, *_: object, **__: object) -> Look:
        return self._next

    async def _rule(self, *_: object) -> str | None:
        return self.rule


@pytest.fixture
def tended(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Tended:
    return Tended(monkeypatch, caplog)


# -- when it is announced -----------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [NOBODY, HUNG, OTHER, HIDDEN], ids=["refused", "hangs", "another", "local"])
async def test_from_waiting_to_withdrawn_and_back(tended: Tended, failure: Look) -> None:
    good = there(GOOD)
    seen = await tended.phases([failure, good, failure, failure, good, failure, failure, failure, good, good])
    on, off = "announced", "withdrawn silent"
    assert seen == ["waiting silent", on, on, on, on, on, on, off, off, on]


async def test_what_loads_again_stays_announced_as_starting(tended: Tended) -> None:
    await tended.see(there(GOOD), *[there(LOADING)] * 6)
    assert (tended.backend.phase, tended.backend.status, tended.txt["st"]) == ("announced", "starting", "starting")
    assert not tended.backend.gone
    await tended.see(there(GOOD), there(GOOD), there(GOOD))
    assert tended.txt["st"] == "ready"


async def test_what_a_failed_check_leaves_is_what_it_was(tended: Tended) -> None:
    await tended.see(there(GOOD))
    before = tended.backend.announced
    await tended.see(HUNG, HUNG)
    assert tended.backend.announced is before is tended.backend.wanted
    assert tended.backend.status is None and tended.backend.reason is not None


@pytest.mark.parametrize("outage", [1, 3, 20])
async def test_an_outage_of_the_own_network_is_no_failure_of_the_backend(tended: Tended, outage: int) -> None:
    await tended.see(there(GOOD), HUNG, HUNG, *[OFFLINE] * outage)
    assert (tended.backend.phase, tended.backend.announced) == ("announced", None)
    await tended.see(there(GOOD))
    assert tended.backend.announced is not None, "one look is enough"
    await tended.see(*[HUNG] * 3)
    assert tended.backend.announced is None


async def test_an_outage_does_not_prove_that_a_backend_works(tended: Tended) -> None:
    await tended.see(there(GOOD), *[NOBODY] * 3, there(GOOD), OFFLINE)
    assert tended.backend.phase == "withdrawn"
    await tended.see(there(GOOD))
    assert tended.backend.phase == "announced", "the first of the two passes still counts"


async def test_what_the_own_firewall_keeps_away_is_not_announced(tended: Tended) -> None:
    tended.rule = "nft: tcp dport 8188 drop"
    await tended.see(there(GOOD), there(GOOD))
    assert (tended.backend.phase, tended.backend.announced) == ("waiting", None)
    assert tended.rule in (tended.backend.reason or "")
    tended.rule = None
    await tended.see(there(GOOD))
    assert tended.backend.announced is not None
    tended.rule = "nft: policy drop"  # somebody closes it later: the rules are read every minute
    await tended.see(*[there(GOOD)] * 16)
    assert (tended.backend.phase, tended.backend.announced) == ("withdrawn", None)


# -- when it is gone ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("looks", "gone"),
    [
        ((), False),
        ((NOBODY,), True),
        ((OTHER,), True),
        ((HIDDEN,), False),  # it is there, for this machine
        ((there(GOOD), NOBODY, NOBODY), False),
        ((there(GOOD), NOBODY, NOBODY, NOBODY), True),
        ((there(GOOD), HUNG, HUNG, HUNG), True),
        ((there(GOOD), OTHER, OTHER, OTHER), True),
        ((there(GOOD), HIDDEN, HIDDEN, HIDDEN), False),
        ((there(GOOD), NOBODY, NOBODY, NOBODY, there(LOADING)), False),  # it was started again
        ((there(Finding(Status.STARTING, cause="http-500")),), True),  # it never said what it is
        ((there(GOOD), OFFLINE, OFFLINE, OFFLINE), False),
        ((OFFLINE,), False),  # without a network nobody has looked
    ],
)
async def test_whether_anything_is_left_of_it(tended: Tended, looks: tuple[Look, ...], gone: bool) -> None:
    tended.made(found=True)
    await tended.see(*looks)
    assert tended.backend.gone is gone


# -- what is announced --------------------------------------------------------------------------------


async def test_everything_that_is_known_is_told(tended: Tended) -> None:
    properties = (("gpu", "NVIDIA RTX 3060"), ("vram_mib", 12288), ("queue", 3))
    finding = replace(BUSY, capabilities=("image", "video"), properties=properties)
    tended.made(replace(JOB, path="/pictures", tls=True))
    await tended.see(there(finding, "10.77.0.1", "fe80::1"))
    wanted = tended.backend.wanted
    assert wanted is not None
    assert (wanted.name, wanted.kind, wanted.port) == ("ComfyUI on gpu-box", "comfyui", 8188)
    assert wanted.host == "gpu-box-hybridisco-abcdef.local."
    assert wanted.addresses == ("10.77.0.1", "fe80::1")
    assert tended.txt == {
        "txtvers": "1", "id": ID, "kind": "comfyui", "ver": "0.3.60", "path": "/pictures", "tls": "1", "st": "busy",
        "cap": "image,video", "gpu": "NVIDIA RTX 3060", "vram": "12288",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "finding", "auth"),
    [
        ("comfyui", GOOD, None),
        ("litellm", Finding(Status.LOCKED, "litellm"), "key"),
        ("wan2gp", Finding(Status.LOCKED, "gradio", family="gradio"), "login"),
    ],
)
async def test_what_is_needed_to_get_in_is_told(tended: Tended, kind: str, finding: Finding, auth: str | None) -> None:
    tended.made(Assignment(KINDS[kind], 8188))
    await tended.see(there(finding))
    assert (tended.txt.get("auth"), tended.txt["st"]) == (auth, "ready")


async def test_what_the_box_has_goes_before_what_the_backend_says(tended: Tended) -> None:
    finding = replace(GOOD, properties=(("gpu", "cuda:0 something"), ("vram_mib", 1)))
    tended.made(gpu=Gpu("2 x NVIDIA RTX 4090", 49128))
    await tended.see(there(finding))
    assert (tended.txt["gpu"], tended.txt["vram"]) == ("2 x NVIDIA RTX 4090", "49128")


@pytest.mark.parametrize(
    "properties", [(("gpu", 7), ("vram_mib", "much")), (("vram_mib", 0),), (("vram_mib", -1),), (("vram_mib", 1.5),)]
)
async def test_what_a_backend_says_of_its_gpu_and_cannot_be_is_left_out(
    tended: Tended, properties: tuple[tuple[str, str | int | float], ...]
) -> None:
    await tended.see(there(replace(GOOD, properties=properties)))
    assert not tended.txt.keys() & {"gpu", "vram"}


async def test_nothing_but_what_the_record_is_for_is_told(tended: Tended) -> None:
    """Whatever a backend gives away of itself: tokens, paths, its command line, its users."""
    secrets = ("token", "argv", "api_key", "user", "cwd", "queue", "title")
    finding = replace(GOOD, properties=tuple((name, f"hunter2-{name}") for name in secrets), cause="hunter2")
    await tended.see(there(finding))
    assert tended.txt.keys() <= {"txtvers", "id", "kind", "ver", "path", "tls", "auth", "st", "cap", "gpu", "vram"}
    assert "hunter2" not in repr(tended.backend.wanted)


# -- how often it may be said -------------------------------------------------------------------------


async def test_a_record_changes_at_most_once_in_ten_seconds(tended: Tended) -> None:
    await tended.see(there(GOOD))
    told_at, changes = tended.now, []
    for number in range(40):
        before = tended.backend.announced
        await tended.see(there(BUSY if number % 2 else GOOD), every_s=1.0)
        if tended.backend.announced != before:
            changes.append(tended.now)
    assert changes, "it changes in the end"
    gaps = [after - before for before, after in zip([told_at, *changes], changes, strict=False)]
    assert min(gaps) >= TXT_EVERY_S


async def test_what_changes_and_changes_back_is_not_said_at_all(tended: Tended) -> None:
    await tended.see(there(GOOD), there(BUSY), there(GOOD), every_s=1.0)
    assert not tended.backend.due(tended.now + 3600.0)
    assert len(tended.said) == 1


@pytest.mark.parametrize("second", [there(GOOD, "10.77.0.99"), there(BUSY, "10.77.0.1", "fd77::1")])
async def test_other_addresses_are_said_at_once(tended: Tended, second: Look) -> None:
    await tended.see(there(GOOD))
    await tended.see(second, every_s=0.1)
    assert tended.backend.announced is not None
    assert tended.backend.announced.addresses == second.addresses


async def test_a_withdrawal_is_said_at_once(tended: Tended) -> None:
    await tended.see(there(GOOD), NOBODY, NOBODY, NOBODY, every_s=0.1)
    assert tended.backend.announced is None


# -- what is logged -----------------------------------------------------------------------------------


async def test_each_change_is_said_once(tended: Tended) -> None:
    await tended.see(NOBODY, NOBODY, NOBODY)
    assert len(tended.said) == 1
    assert tended.said[0].startswith("Not announced: nothing listens on port 8188.")
    assert tended.said[0].endswith("Looked at again every few seconds; Ctrl-C ends.")
    await tended.see(OTHER, OTHER)
    assert tended.said[1:] == ["Not announced: on port 8188 answers LiteLLM, not ComfyUI. Give the right kind or port."]
    await tended.see(there(GOOD), there(GOOD))
    assert tended.said[2:] == ["Announced: ComfyUI on gpu-box (ComfyUI, port 8188, 10.77.0.1)"]
    await tended.see(there(BUSY), there(BUSY), there(BUSY))
    assert tended.said[3:] == ["Announcement changed: st=busy (ComfyUI on gpu-box)"]
    await tended.see(there(replace(BUSY, version=None), "10.77.0.1", "fd77::1"))
    assert tended.said[4:] == ["Announcement changed: ver=, addresses 10.77.0.1, fd77::1 (ComfyUI on gpu-box)"]


async def test_that_it_answers_again_is_said_before_it_is_announced(tended: Tended) -> None:
    await tended.see(there(GOOD), NOBODY, NOBODY, NOBODY, there(GOOD))
    assert tended.said[-1] == "It answers again; announced after one more check."
    await tended.see(there(GOOD))
    assert tended.said[-1].startswith("Announced: ")


async def test_a_message_says_which_backend_it_is_about(tended: Tended, caplog: pytest.LogCaptureFixture) -> None:
    await tended.see(there(GOOD))
    (record,) = caplog.records
    assert (vars(record)["backend"], vars(record)["port"]) == ("comfyui", 8188)


async def test_since_is_when_it_was_announced_or_withdrawn(tended: Tended, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_700_000_000, 1_800_000_000))
    monkeypatch.setattr(module.time, "time", lambda: float(next(clock)))
    await tended.see(there(GOOD))
    announced = tended.backend.since
    await tended.see(there(BUSY), there(BUSY), NOBODY, NOBODY)
    assert tended.backend.since == announced, "a change is no beginning"
    await tended.see(NOBODY)
    assert tended.backend.since > announced
