"""Which feasts are worked like Sundays."""

import numpy as np

from services.forecaster.domain.forecasting.calendar import weekday
from services.forecaster.domain.forecasting.feasts import hour_table, sunday_like

WORK = np.concatenate([np.full(8, 2.0), np.full(10, 40.0), np.full(6, 4.0)])
REST = np.full(24, 10.0)


def table_of(days: int, like_sunday: set[int], first: int = 4) -> np.ndarray:
    """Day 4 after the epoch was a Monday."""
    every = np.arange(first, first + days)
    random = np.random.default_rng(0)
    rows = [
        REST if weekday(np.array([day]))[0] == 6 or day in like_sunday else WORK for day in every
    ]
    return random.poisson(np.array(rows)).astype(float)


def test_a_feast_is_judged_by_what_it_was_before() -> None:
    feasts = {60: "rest", 61: "work", 130: "rest", 131: "work", 200: "rest", 201: "work"}
    every = np.arange(4, 260)
    found = sunday_like(table_of(140, {60, 130}), every, feasts)
    assert not found[60 - 4]
    assert (found[130 - 4], found[200 - 4]) == (True, True)
    assert (found[131 - 4], found[201 - 4]) == (False, False)


def test_a_feast_never_seen_follows_the_others() -> None:
    every = np.arange(4, 260)
    assert sunday_like(table_of(100, {60}), every, {60: "a", 230: "b"})[230 - 4]
    assert not sunday_like(table_of(100, set()), every, {60: "a", 230: "b"})[230 - 4]


def test_hours_land_on_their_day_and_gaps_stay_gaps() -> None:
    values = np.arange(30.0)
    values[3] = np.nan
    table = hour_table(values, np.arange(22, 52))
    assert table.shape == (3, 24)
    assert np.isnan(table[0, :22]).all()
    assert table[0, 22] == 0.0
    assert np.isnan(table[1, 1])
    assert table[1, 23] == 25.0
