"""A clock that never goes back, and that notices a sleep."""

from __future__ import annotations

from hybridisco.clock import SteadyClock

START = 1_790_000_000.0


class Machine:
    """A machine with a wall clock that can be set, and one that counts while it is awake."""

    def __init__(self) -> None:
        self.wall, self.awake = START, 1_000.0

    def __call__(self) -> tuple[float, float]:
        return self.wall, self.awake

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.awake += seconds

    def sleeps(self, seconds: float) -> None:
        self.wall += seconds


def test_it_starts_as_the_wall_clock_and_goes_on_with_it() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    assert clock.now() == START
    machine.passes(3_600)
    assert (clock.now(), clock.slept()) == (START + 3_600, False)


def test_a_clock_that_is_set_back_is_not_followed() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    machine.wall -= 86_400
    assert (clock.now(), clock.slept()) == (START, False)
    machine.passes(10)
    assert (clock.now(), clock.slept()) == (START + 10, False)


def test_a_sleep_is_noticed_once_and_made_up_for() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    machine.sleeps(600)
    assert clock.now() == START, "not before somebody asks whether it slept"
    assert clock.slept()
    assert (clock.now(), clock.slept()) == (START + 600, False)


def test_a_clock_that_is_set_ahead_is_taken_for_a_sleep() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    machine.wall += 7_200
    assert (clock.slept(), clock.now()) == (True, START + 7_200)


def test_a_clock_that_is_corrected_by_little_is_no_sleep_however_often() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    for _ in range(100):
        machine.wall += 4
        machine.passes(1)
        assert not clock.slept()
    assert clock.now() == START + 100


def test_a_sleep_after_the_clock_was_set_back_is_noticed() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    machine.wall -= 86_400
    assert not clock.slept()
    machine.sleeps(600)
    assert (clock.slept(), clock.now()) == (True, START + 600)


def test_it_never_goes_back_whatever_happens() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    times = [clock.now()]
    for wall, awake in ((-50.0, 0.0), (3.0, 3.0), (900.0, 0.5), (-900.0, 0.5), (0.0, 0.0), (6.0, 0.5)):
        machine.wall += wall
        machine.awake += awake
        times += [clock.now(), (clock.slept() and 0.0) or clock.now()]
    assert times == sorted(times)


def test_the_real_clocks_agree_with_it() -> None:
    clock = SteadyClock()
    before = clock.now()
    assert clock.now() >= before > START / 2
    assert not clock.slept()
