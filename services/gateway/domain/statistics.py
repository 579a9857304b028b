"""Statistics of a queue's load over days: spread, weekdays, weeks of the year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from services.gateway.domain.load import Span
from shared.errors import BadRequest
from shared.windows import Counts

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SATURDAY = 5
LAST_ISO_WEEK = 53


@dataclass(frozen=True, slots=True)
class LoadStatistics:
    """Tickets per interval of the granularity asked for; the deviation is the sample's."""

    total_tickets: int
    avg_tickets: float
    peak_load: int
    min_load: int
    median_load: float
    std_dev: float
    percentile_90: float
    percentile_95: float


@dataclass(frozen=True, slots=True)
class TimeStatistics:
    """Weekdays by mean load, the averages in tickets per day."""

    busiest_day: str
    quietest_day: str
    weekend_avg: float
    weekday_avg: float


@dataclass(frozen=True, slots=True)
class WeekAverages:
    """Mean tickets per ISO week of the year; as many weeks as averages."""

    week: Sequence[str]
    average_load: Sequence[float]


def within_data(span: Span, extent: Span | None) -> Span:
    """The part of the span that has data. Raises BadRequest where none has."""
    if extent is None:
        raise BadRequest("no data yet")
    first, last = max(span.first, extent.first), min(span.last, extent.last)
    if first > last:
        raise BadRequest(
            f"no data between {span.first} and {span.last}; "
            f"there is data from {extent.first} to {extent.last}"
        )
    return Span(first, last)


def load_statistics(counts: Counts) -> LoadStatistics:
    """counts: tickets per interval, at least one."""
    median, ninety, ninety_five = np.percentile(counts, [50, 90, 95]).tolist()
    return LoadStatistics(
        total_tickets=int(counts.sum()),
        avg_tickets=float(counts.mean()),
        peak_load=int(counts.max()),
        min_load=int(counts.min()),
        median_load=median,
        std_dev=float(counts.std(ddof=1)) if len(counts) > 1 else 0.0,
        percentile_90=ninety,
        percentile_95=ninety_five,
    )


def time_statistics(daily: Counts, first: date) -> TimeStatistics:
    """daily: tickets per day from `first` on, at least one day."""
    means, seen = _weekday_means(daily, first)
    known = [(mean, -day) for day, mean in enumerate(means) if seen[day]]
    weekend = (first.weekday() + np.arange(len(daily))) % 7 >= SATURDAY
    return TimeStatistics(
        busiest_day=WEEKDAYS[-max(known)[1]],
        quietest_day=WEEKDAYS[-min(known, key=lambda one: (one[0], -one[1]))[1]],
        weekend_avg=_mean(daily[weekend]),
        weekday_avg=_mean(daily[~weekend]),
    )


def weekday_averages(daily: Counts, first: date) -> list[float]:
    """Mean tickets of each weekday, Monday first; 0 for one that the days do not have."""
    means, _ = _weekday_means(daily, first)
    return means


def week_averages(daily: Counts, first: date) -> WeekAverages:
    """Mean tickets per ISO week, over all years of the days.

    A week seen in part counts as its mean day times seven: a range that cuts a week does not make
    it look quiet.
    """
    numbers = np.array([(first + timedelta(days=i)).isocalendar().week for i in range(len(daily))])
    sums = np.bincount(numbers, weights=daily, minlength=LAST_ISO_WEEK + 1)
    seen = np.bincount(numbers, minlength=LAST_ISO_WEEK + 1)
    weeks = np.flatnonzero(seen)
    return WeekAverages(
        week=[f"week {number}" for number in weeks.tolist()],
        average_load=(7 * sums[weeks] / seen[weeks]).tolist(),
    )


def _weekday_means(daily: Counts, first: date) -> tuple[list[float], NDArray[np.int64]]:
    weekdays = (first.weekday() + np.arange(len(daily))) % 7
    sums = np.bincount(weekdays, weights=daily, minlength=7)
    seen = np.bincount(weekdays, minlength=7).astype(np.int64)
    return (sums / np.maximum(seen, 1)).tolist(), seen


def _mean(values: Counts) -> float:
    return float(values.mean()) if len(values) else 0.0
