"""Counts summed to calendar periods: hours, days, weeks, months, quarters, years."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np

from services.forecaster.domain.calendar import Calendar
from services.forecaster.domain.series import (
    Frequency,
    History,
    SeriesError,
    day_number,
    day_of,
    hour_of,
)


class Granularity(StrEnum):
    """Periods a history can be read in; weeks begin on Monday."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Period:
    """One period: its first day (or UTC hour), and its tickets or None where none was observed."""

    begins: date | datetime
    tickets: float | None


class RangeError(ValueError):
    """A range of dates that ends before it begins or has no day in the data."""


def clipped(history: History, start: date | None, end: date | None) -> History:
    """The days from `start` to `end`, both included, of a daily history.

    Either may be None. Raises RangeError where the range is reversed or misses the data.
    """
    if not len(history.values):
        raise RangeError("no data yet")
    first = history.start if start is None else day_number(start)
    last = history.end - 1 if end is None else day_number(end)
    if last < first:
        raise RangeError(f"end date {day_of(last)} is before start date {day_of(first)}")
    if last < history.start or first >= history.end:
        raise RangeError(
            f"no data between {day_of(first)} and {day_of(last)}; "
            f"there is data from {day_of(history.start)} to {day_of(history.end - 1)}"
        )
    return history.since(first).until(last + 1)


def to_daily(hourly: History, calendar: Calendar) -> History:
    """Sums per local day of an hourly history; a day counts as a gap where no hour was seen."""
    if hourly.frequency is Frequency.DAILY or not len(hourly.values):
        return History(Frequency.DAILY, hourly.start, hourly.values)
    days = calendar.local_days(np.arange(hourly.start, hourly.end))
    index = days - days[0]
    sums = np.bincount(index, weights=np.nan_to_num(hourly.values))
    seen = np.bincount(index, weights=hourly.observed)
    return History(Frequency.DAILY, int(days[0]), np.where(seen > 0, sums, np.nan))


def periods(history: History, granularity: Granularity) -> Sequence[Period]:
    """Sums of a history per calendar period, gaps between periods kept as None.

    Raises SeriesError for hours wanted from a history of days.
    """
    if granularity is Granularity.HOURLY:
        if history.frequency is not Frequency.HOURLY:
            raise SeriesError("hourly values need hourly data; this series is kept by day")
        return [
            Period(hour_of(history.start + i), _known(value))
            for i, value in enumerate(history.values)
        ]
    if history.frequency is not Frequency.DAILY:
        raise SeriesError("sum hours to days first, in the queue's time zone")
    sums: dict[date, float | None] = {}
    for i, value in enumerate(history.values):
        begins = beginning(day_of(history.start + i), granularity)
        before, tickets = sums.get(begins), _known(value)
        if tickets is not None:
            sums[begins] = tickets + (before or 0.0)
        else:
            sums.setdefault(begins, None)
    return [Period(begins, tickets) for begins, tickets in sums.items()]


def beginning(day: date, granularity: Granularity) -> date:
    """First day of the period a day belongs to."""
    match granularity:
        case Granularity.WEEKLY:
            return day - timedelta(days=day.weekday())
        case Granularity.MONTHLY:
            return day.replace(day=1)
        case Granularity.QUARTERLY:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Granularity.YEARLY:
            return day.replace(month=1, day=1)
    return day


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
