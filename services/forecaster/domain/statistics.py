"""Load statistics of a queue: totals and spread, weekday and week averages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.forecaster.domain.calendar import weekday
from services.forecaster.domain.granularity import (
    Granularity,
    RangeError,
    clipped,
    periods,
)
from services.forecaster.domain.series import FloatArray, History, day_number, day_of

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class LoadStatistics:
    """Tickets per period of the chosen granularity; all zero where nothing was observed."""

    total_tickets: float
    avg_tickets: float
    peak_load: float
    min_load: float
    median_load: float
    std_dev: float
    percentile_90: float
    percentile_95: float


@dataclass(frozen=True, slots=True)
class TimeStatistics:
    """Weekdays by mean load; None where nothing was observed. Averages are tickets per day."""

    busiest_day: str | None
    quietest_day: str | None
    weekend_avg: float
    weekday_avg: float


@dataclass(frozen=True, slots=True)
class WeekAverages:
    """Mean tickets per week of the year; both lists have the same length."""

    weeks: Sequence[str]
    average_load: Sequence[float]


def load_statistics(daily: History, granularity: Granularity) -> LoadStatistics:
    """Statistics over the periods of a daily history that has been clipped to a range."""
    found = [period.tickets for period in periods(daily, granularity)]
    values = np.array([tickets for tickets in found if tickets is not None])
    if not len(values):
        return LoadStatistics(*[0.0] * 8)
    return LoadStatistics(
        total_tickets=float(values.sum()),
        avg_tickets=float(values.mean()),
        peak_load=float(values.max()),
        min_load=float(values.min()),
        median_load=float(np.median(values)),
        std_dev=float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        percentile_90=float(np.percentile(values, 90)),
        percentile_95=float(np.percentile(values, 95)),
    )


def time_statistics(daily: History) -> TimeStatistics:
    """Busiest and quietest weekday, weekend and working-day means of a daily history."""
    means = weekday_means(daily)
    seen = np.isfinite(means)
    if not seen.any():
        return TimeStatistics(None, None, 0.0, 0.0)
    values, days = daily.values, weekday(np.arange(daily.start, daily.end))
    return TimeStatistics(
        busiest_day=WEEKDAYS[int(np.nanargmax(means))],
        quietest_day=WEEKDAYS[int(np.nanargmin(means))],
        weekend_avg=_mean(values[days >= 5]),
        weekday_avg=_mean(values[days < 5]),
    )


def daily_average(daily: History, start: date, end: date) -> list[float]:
    """Mean tickets of each weekday, Monday first; 0 for a weekday that was never observed.

    Raises RangeError where the range has no data.
    """
    return [float(mean) for mean in np.nan_to_num(weekday_means(clipped(daily, start, end)))]


def weekly_average(
    daily: History, start: date | None = None, end: date | None = None
) -> WeekAverages:
    """Mean tickets per ISO week of the year ("week 1" to "week 53") over the years of a range.

    A week seen in part counts with its mean day times seven, so that a range cutting a week does
    not make it look quiet. Weeks never observed are left out of both lists. Raises RangeError
    where a date lies outside the data.
    """
    for day in (start, end):
        if day is not None and not daily.start <= day_number(day) < daily.end:
            raise RangeError(
                f"{day} is outside the data, which runs from {day_of(daily.start)} "
                f"to {day_of(daily.end - 1)}"
                if len(daily.values)
                else "no data yet"
            )
    part = clipped(daily, start, end)
    weeks = np.array([day_of(part.start + i).isocalendar().week for i in range(len(part.values))])
    known = part.observed
    sums = np.bincount(weeks[known], weights=part.values[known], minlength=54)
    seen = np.bincount(weeks[known], minlength=54)
    present = [int(week) for week in np.flatnonzero(seen)]
    return WeekAverages(
        [f"week {week}" for week in present],
        [float(7.0 * sums[week] / seen[week]) for week in present],
    )


def weekday_means(daily: History) -> FloatArray:
    """Mean per weekday, shape (7,), NaN where a weekday was never observed."""
    days = weekday(np.arange(daily.start, daily.end))
    known = daily.observed
    sums = np.bincount(days[known], weights=daily.values[known], minlength=7)
    seen = np.bincount(days[known], minlength=7)
    return np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0
