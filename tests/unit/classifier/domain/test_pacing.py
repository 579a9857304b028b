"""The budget of second looks: a share of a core, none while behind."""

import pytest

from services.classifier.domain.pacing import Pace


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run(pace: Pace, time: Time, *, seconds: int, arriving: int, cost: float) -> int:
    """Tickets looked at when so many arrive a second and each costs so much."""
    taken = 0
    for _ in range(seconds):
        time.now += 1.0
        room = pace.take(arriving)
        pace.spent(room, room * cost)
        taken += room
    return taken


def test_what_fits_is_looked_at_in_full() -> None:
    time = Time()
    assert run(Pace(0.5, 30, time), time, seconds=60, arriving=100, cost=0.001) == 6_000


def test_the_share_of_a_core_is_kept_whatever_arrives() -> None:
    time = Time()
    pace = Pace(0.25, 30, time)
    run(pace, time, seconds=60, arriving=10_000, cost=0.004)  # learns what a ticket costs
    taken = run(pace, time, seconds=100, arriving=10_000, cost=0.004)
    assert 0.95 < taken * 0.004 / (0.25 * 100) < 1.05


def test_a_quiet_time_pays_for_a_burst_but_not_for_ever() -> None:
    time = Time()
    pace = Pace(0.1, 30, time)
    time.now = 3_600.0
    assert pace.take(100_000) == 1_000  # ten seconds of a tenth of a core, a millisecond each


def test_a_dear_batch_is_paid_back() -> None:
    time = Time()
    pace = Pace(0.1, 30, time)
    room = pace.take(10)
    pace.spent(room, 5.0)
    assert pace.take(10) == 0
    time.now = 60.0
    assert pace.take(1) == 1


def test_what_else_costs_counts_too() -> None:
    pace = Pace(0.1, 30, Time())
    assert not pace.empty()
    pace.spent(0, 2.0)
    assert pace.empty()
    assert pace.take(1) == 0


def test_behind_it_stays_so_until_half_is_caught_up() -> None:
    pace = Pace(0.1, 30, Time())
    assert [pace.behind(age) for age in (29, 31, 29, 16, 15, 29)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip


def test_where_others_want_the_core_little_of_the_share_is_left() -> None:
    time = Time()
    pace = Pace(0.25, 30, time)
    taken = []
    for granted in (1.0, 0.5, 0.1, 0.7):
        for _ in range(50):
            pace.disturbed(granted)
        run(pace, time, seconds=20, arriving=10_000, cost=0.001)  # what was kept is spent
        taken.append(run(pace, time, seconds=100, arriving=10_000, cost=0.001))
    assert taken == pytest.approx([25_000, 25_000, 1_000, 25_000], rel=0.05)


def test_a_look_that_never_ran_is_not_the_last() -> None:
    time = Time()
    pace = Pace(0.25, 30, time)
    for _ in range(50):
        pace.disturbed(0.01)
    assert run(pace, time, seconds=100, arriving=10, cost=0.001) > 0
