"""Series: gaps, sums, and looking at the past only."""

from datetime import date

import numpy as np
import pytest

from services.forecaster.domain.forecasting.series import (
    Frequency,
    History,
    SeriesError,
    add,
    day_number,
    day_of,
    from_points,
)


def test_points_in_any_order_become_a_grid_with_gaps() -> None:
    history = from_points(Frequency.DAILY, [(12, 3.0), (10, 1.0)])
    assert history.start == 10
    assert history.end == 13
    np.testing.assert_array_equal(history.values, [1.0, np.nan, 3.0])


@pytest.mark.parametrize("count", [-1.0, float("nan"), float("inf")])
def test_impossible_counts_are_refused(count: float) -> None:
    with pytest.raises(SeriesError, match="not negative"):
        from_points(Frequency.DAILY, [(0, count)])


def test_no_points_make_an_empty_history() -> None:
    assert len(from_points(Frequency.DAILY, []).values) == 0


def test_the_past_ends_before_the_step_asked_for() -> None:
    history = History(Frequency.DAILY, 100, np.arange(10.0))
    past = history.until(104)
    assert past.end == 104
    np.testing.assert_array_equal(past.values, [0, 1, 2, 3])
    assert len(history.until(90).values) == 0
    assert history.since(108).start == 108


def test_a_sum_is_a_gap_only_where_every_part_is() -> None:
    left = History(Frequency.DAILY, 0, np.array([1.0, np.nan, np.nan]))
    right = History(Frequency.DAILY, 1, np.array([5.0, np.nan, 7.0]))
    np.testing.assert_array_equal(add([left, right]).values, [1.0, 5.0, np.nan, 7.0])


def test_day_numbers_round_trip_over_a_leap_day() -> None:
    assert day_of(day_number(date(2024, 2, 29))) == date(2024, 2, 29)
    assert day_number(date(2024, 3, 1)) - day_number(date(2024, 2, 28)) == 2
