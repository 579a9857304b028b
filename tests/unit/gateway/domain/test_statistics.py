"""Weekdays, weeks and spread, against the calendar of the standard library."""

import statistics
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.load import Span
from services.gateway.domain.statistics import (
    WEEKDAYS,
    load_statistics,
    time_statistics,
    week_averages,
    weekday_averages,
    within_data,
)
from shared.errors import BadRequest

MONDAY = date(2026, 3, 2)
firsts = st.dates(date(2015, 1, 1), date(2030, 12, 31))
series = st.lists(st.integers(0, 50), min_size=1, max_size=800)


@given(firsts, series)
def test_weekday_averages(first: date, counts: list[int]) -> None:
    per_day: dict[int, list[int]] = {day: [] for day in range(7)}
    for offset, count in enumerate(counts):
        per_day[(first + timedelta(days=offset)).weekday()].append(count)
    expected = [statistics.fmean(seen) if seen else 0.0 for seen in per_day.values()]
    assert weekday_averages(np.array(counts), first) == pytest.approx(expected)


@given(firsts, series)
def test_as_many_weeks_as_averages_and_each_week_of_the_days(
    first: date, counts: list[int]
) -> None:
    averages = week_averages(np.array(counts), first)
    days = [first + timedelta(days=offset) for offset in range(len(counts))]
    weeks = sorted({day.isocalendar().week for day in days})
    assert averages.week == [f"week {number}" for number in weeks]
    assert len(averages.average_load) == len(weeks)


def test_the_same_week_of_two_years_is_its_mean() -> None:
    first = date.fromisocalendar(2025, 10, 1)
    gap = (date.fromisocalendar(2026, 10, 1) - first).days - 7
    counts = np.r_[np.full(7, 2), np.zeros(gap, np.int64), np.full(7, 6)]
    averages = week_averages(counts, first)
    by_week = dict(zip(averages.week, averages.average_load, strict=True))
    assert by_week["week 10"] == pytest.approx(7 * 4)
    assert by_week["week 11"] == 0.0


def test_a_week_cut_by_a_date_is_not_a_quiet_one() -> None:
    assert week_averages(np.array([5, 5]), MONDAY).average_load == [35.0]


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60))
def test_spread(counts: list[int]) -> None:
    found = load_statistics(np.array(counts))
    assert found.total_tickets == sum(counts)
    assert found.avg_tickets == pytest.approx(statistics.fmean(counts))
    assert (found.peak_load, found.min_load) == (max(counts), min(counts))
    assert found.median_load == pytest.approx(statistics.median(counts))
    assert found.std_dev == pytest.approx(statistics.stdev(counts))
    ninths = statistics.quantiles(counts, n=20, method="inclusive")
    assert found.percentile_90 == pytest.approx(ninths[17])
    assert found.percentile_95 == pytest.approx(ninths[18])


def test_one_interval_has_no_spread() -> None:
    found = load_statistics(np.array([4]))
    assert (found.std_dev, found.median_load, found.percentile_95) == (0.0, 4.0, 4.0)


def test_busy_and_quiet_days() -> None:
    found = time_statistics(np.array([5, 9, 5, 5, 5, 1, 2] * 3), MONDAY)
    assert (found.busiest_day, found.quietest_day) == ("Tuesday", "Saturday")
    assert found.weekday_avg == pytest.approx(5.8)
    assert found.weekend_avg == pytest.approx(1.5)


def test_of_equal_days_the_first_of_the_week_is_named() -> None:
    found = time_statistics(np.full(14, 3), MONDAY + timedelta(days=3))
    assert (found.busiest_day, found.quietest_day) == (WEEKDAYS[0], WEEKDAYS[0])


def test_days_never_seen_are_neither_busy_nor_quiet() -> None:
    found = time_statistics(np.array([3, 4]), MONDAY + timedelta(days=1))
    assert (found.busiest_day, found.quietest_day) == ("Wednesday", "Tuesday")
    assert found.weekend_avg == 0.0


def test_the_part_that_has_data() -> None:
    extent = Span(MONDAY, MONDAY + timedelta(days=9))
    assert within_data(Span(date(2020, 1, 1), MONDAY), extent) == Span(MONDAY, MONDAY)
    assert within_data(extent, extent) == extent
    with pytest.raises(BadRequest, match="there is data from 2026-03-02 to 2026-03-11"):
        within_data(Span(date(2020, 1, 1), date(2020, 1, 2)), extent)
    with pytest.raises(BadRequest, match="no data yet"):
        within_data(extent, None)
