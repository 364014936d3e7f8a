"""What NVML tells becomes two values, and nothing that it does stops a sidecar."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from announcers import gpu
from announcers.gpu import Gpu

Card = tuple[str | bytes, int]
RTX = ("NVIDIA GeForce RTX 4090", 24_564 * 2**20 + 512)  # octets; a part of a MiB is none


class Nvml(ModuleType):
    """NVIDIA's library, with the cards and faults that a test wants."""

    class NVMLError(Exception):
        """As the real one: no subclass of anything else."""

    def __init__(self, *cards: Card, fails: tuple[str, ...] = ()) -> None:
        super().__init__("pynvml")
        self.cards = cards
        self.fails = fails
        self.open = 0

    def _may_fail(self, where: str) -> None:
        if where in self.fails:
            raise self.NVMLError(where)

    def nvmlInit(self) -> None:
        self._may_fail("init")
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1
        self._may_fail("shutdown")

    def nvmlDeviceGetCount(self) -> int:
        self._may_fail("count")
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:
        self._may_fail("handle")
        return self.cards[index]

    def nvmlDeviceGetName(self, card: Card) -> str | bytes:
        self._may_fail("name")
        return card[0]

    def nvmlDeviceGetMemoryInfo(self, card: Card) -> SimpleNamespace:
        self._may_fail("memory")
        return SimpleNamespace(total=card[1], free=0, used=card[1])


def install(monkeypatch: pytest.MonkeyPatch, nvml: ModuleType | None) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)  # type: ignore[arg-type] # None: it cannot be imported


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ((RTX,), Gpu("NVIDIA GeForce RTX 4090", 24_564)),
        ((RTX, RTX), Gpu("2 x NVIDIA GeForce RTX 4090", 49_128)),
        ((RTX, ("NVIDIA RTX A2000", 6 * 2**30)), Gpu("NVIDIA GeForce RTX 4090, NVIDIA RTX A2000", 24_564 + 6_144)),
        (((b"Tesla T4", 15 * 2**30),), Gpu("Tesla T4", 15_360)),  # before nvidia-ml-py 11.5 names were bytes
        (((b"Tesla \xff", 2**30),), Gpu("Tesla \ufffd", 1_024)),
        (((f"NVIDIA {'x' * 90}", 2**30),), Gpu(f"NVIDIA {'x' * 53}", 1_024)),
        ((), None),
    ],
)
def test_what_is_there_is_told(monkeypatch: pytest.MonkeyPatch, cards: tuple[Card, ...], expected: Gpu | None) -> None:
    nvml = Nvml(*cards)
    install(monkeypatch, nvml)
    assert gpu.read() == expected
    assert nvml.open == 0, "the driver is let go"


@pytest.mark.parametrize("fault", ["init", "count", "handle", "name"])
def test_a_driver_that_fails_is_no_gpu(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    nvml = Nvml(RTX, fails=(fault,))
    install(monkeypatch, nvml)
    assert gpu.read() is None
    assert nvml.open == 0


def test_a_gpu_without_memory_of_its_own_has_a_name_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Nvml(RTX, fails=("memory",)))
    assert gpu.read() == Gpu(RTX[0], 0)


@pytest.mark.parametrize(("faults", "expected"), [(("shutdown",), Gpu(RTX[0], 24_564)), (("name", "shutdown"), None)])
def test_a_driver_that_will_not_be_let_go_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, faults: tuple[str, ...], expected: Gpu | None
) -> None:
    install(monkeypatch, Nvml(RTX, fails=faults))
    assert gpu.read() == expected


def test_without_the_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)
    assert gpu.read() is None
