"""Periods and statistics; each known defect of the original system is a test."""

from datetime import date

import numpy as np
import pytest

from services.forecaster.domain.calendar import Calendar
from services.forecaster.domain.granularity import (
    Granularity,
    RangeError,
    clipped,
    periods,
    to_daily,
)
from services.forecaster.domain.series import Frequency, History, SeriesError, day_number
from services.forecaster.domain.statistics import (
    daily_average,
    load_statistics,
    time_statistics,
    weekly_average,
)

YEAR = History(Frequency.DAILY, day_number(date(2024, 1, 1)), np.ones(366))


@pytest.mark.parametrize(
    ("granularity", "count", "first"),
    [
        (Granularity.DAILY, 366, 1.0),
        (Granularity.WEEKLY, 53, 7.0),
        (Granularity.MONTHLY, 12, 31.0),
        (Granularity.QUARTERLY, 4, 91.0),
        (Granularity.YEARLY, 1, 366.0),
    ],
)
def test_a_leap_year_in_every_granularity(
    granularity: Granularity, count: int, first: float
) -> None:
    found = periods(YEAR, granularity)
    assert len(found) == count
    assert found[0].begins == date(2024, 1, 1)
    assert found[0].tickets == first
    assert sum(period.tickets or 0 for period in found) == 366


def test_february_has_its_leap_day() -> None:
    assert periods(YEAR, Granularity.MONTHLY)[1].tickets == 29.0


def test_hours_are_read_as_hours() -> None:
    hours = History(Frequency.HOURLY, 24 * YEAR.start, np.arange(48.0))
    found = periods(hours, Granularity.HOURLY)
    assert len(found) == 48
    assert found[5].tickets == 5.0


def test_hours_cannot_be_made_up_from_days() -> None:
    with pytest.raises(SeriesError, match="kept by day"):
        periods(YEAR, Granularity.HOURLY)


def test_gaps_stay_gaps_unless_the_period_has_something() -> None:
    values = np.full(60, np.nan)
    values[0] = 5.0
    found = periods(History(Frequency.DAILY, YEAR.start, values), Granularity.MONTHLY)
    assert [period.tickets for period in found] == [5.0, None]


def test_local_days_are_summed_by_the_queues_own_clock() -> None:
    calendar = Calendar("Europe/London")
    begin = calendar.midnight(day_number(date(2024, 3, 30)))
    hours = History(Frequency.HOURLY, begin, np.ones(24 + 23 + 24))
    daily = to_daily(hours, calendar)
    assert daily.start == day_number(date(2024, 3, 30))
    np.testing.assert_array_equal(daily.values, [24.0, 23.0, 24.0])


def test_ranges_are_inclusive_and_must_meet_the_data() -> None:
    part = clipped(YEAR, date(2024, 2, 1), date(2024, 2, 29))
    assert len(part.values) == 29
    assert len(clipped(YEAR, None, None).values) == 366
    with pytest.raises(RangeError, match="2024-01-01 to 2024-12-31"):
        clipped(YEAR, date(2020, 1, 1), date(2020, 2, 1))
    with pytest.raises(RangeError, match="before start"):
        clipped(YEAR, date(2024, 2, 1), date(2024, 1, 1))
    with pytest.raises(RangeError, match="no data yet"):
        clipped(History(Frequency.DAILY, 0, np.zeros(0)), date(2024, 1, 1), None)


def test_weekly_averages_have_as_many_names_as_numbers() -> None:
    averages = weekly_average(YEAR)
    assert len(averages.weeks) == len(averages.average_load) == 52
    assert averages.weeks[0] == "week 1"


def test_a_week_seen_in_part_is_not_quiet() -> None:
    averages = weekly_average(YEAR, date(2024, 1, 3), date(2024, 1, 9))
    assert averages.weeks == ["week 1", "week 2"]
    assert averages.average_load == [7.0, 7.0]


@pytest.mark.parametrize("outside", [date(2023, 12, 31), date(2025, 1, 1)])
def test_weekly_averages_refuse_dates_outside_the_data(outside: date) -> None:
    with pytest.raises(RangeError, match="outside the data"):
        weekly_average(YEAR, start=outside)
    with pytest.raises(RangeError, match="outside the data"):
        weekly_average(YEAR, end=outside)


def test_daily_averages_start_on_monday() -> None:
    values = np.tile([7.0, 1.0, 1.0, 1.0, 1.0, 0.0, 2.0], 10)
    history = History(Frequency.DAILY, YEAR.start, values)  # 2024-01-01 was a Monday
    assert daily_average(history, date(2024, 1, 1), date(2024, 2, 1)) == [7, 1, 1, 1, 1, 0, 2]
    assert daily_average(history, date(2024, 1, 2), date(2024, 1, 2)) == [0, 1, 0, 0, 0, 0, 0]


def test_load_statistics_of_weeks_are_of_weeks() -> None:
    found = load_statistics(YEAR.until(YEAR.start + 28), Granularity.WEEKLY)
    assert (found.total_tickets, found.avg_tickets, found.std_dev) == (28.0, 7.0, 0.0)
    assert found.percentile_95 == found.median_load == 7.0


def test_load_statistics_agree_with_their_definitions() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan, 10.0])
    found = load_statistics(History(Frequency.DAILY, 0, values), Granularity.DAILY)
    assert (found.total_tickets, found.peak_load, found.min_load) == (16.0, 10.0, 1.0)
    assert found.median_load == 2.5
    assert found.std_dev == pytest.approx(4.0824829)
    assert found.percentile_90 == pytest.approx(np.percentile([1, 2, 3, 10], 90))


def test_time_statistics_compare_weekdays_and_weekends() -> None:
    values = np.tile([7.0, 1.0, 1.0, 1.0, 1.0, 0.0, 2.0], 10)
    found = time_statistics(History(Frequency.DAILY, YEAR.start, values))
    assert (found.busiest_day, found.quietest_day) == ("Monday", "Saturday")
    assert found.weekend_avg == 1.0
    assert found.weekday_avg == pytest.approx(2.2)


def test_an_empty_queue_has_statistics_of_zero() -> None:
    empty = History(Frequency.DAILY, 0, np.zeros(0))
    assert load_statistics(empty, Granularity.DAILY).total_tickets == 0.0
    assert time_statistics(empty).busiest_day is None
