"""The calendar a queue lives in: time zone with daylight saving, holidays, planned events."""

import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from services.forecaster.domain.forecasting.events import PlannedEvent
from services.forecaster.domain.forecasting.series import (
    EPOCH,
    FloatArray,
    IntArray,
    day_number,
    day_of,
)

HOURS_PER_WEEK = 168
# 1970-01-01 was a Thursday; Monday counts as 0.
_THURSDAY = 3


class CalendarError(ValueError):
    """An unknown time zone or country."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where and under which holidays the load arises.

    country: ISO 3166-1 code of the `holidays` package, optionally with a subdivision
    ("GB-WLS"); None for no holidays. timezone: IANA name.
    """

    timezone: str = "UTC"
    country: str | None = None
    events: tuple[PlannedEvent, ...] = ()

    def __post_init__(self) -> None:
        """Raise CalendarError for names nobody knows, before any work is done."""
        _zone(self.timezone)
        if self.country is not None:
            holidays_of_year(self.country, 2020)

    def local_hours(self, hours: IntArray) -> IntArray:
        """Local wall-clock hour numbers of UTC hour numbers (half-hour zones round down)."""
        return hours + utc_offsets(self.timezone, hours)

    def hour_of_week(self, hours: IntArray) -> IntArray:
        """0..167, Monday 00:00 local = 0. Repeats or skips an hour when the clock changes."""
        return (self.local_hours(hours) + 24 * _THURSDAY) % HOURS_PER_WEEK

    def local_days(self, hours: IntArray) -> IntArray:
        """Local day numbers of UTC hour numbers."""
        return self.local_hours(hours) // 24

    def midnight(self, day: int) -> int:
        """UTC hour number in which a local day begins."""
        begin = datetime(1970, 1, 1, tzinfo=_zone(self.timezone)) + timedelta(days=int(day))
        return int((begin.astimezone(UTC) - EPOCH) // timedelta(hours=1))

    def holidays(self, days: IntArray) -> dict[int, str]:
        """Names of the holidays among the years of `days`, by day number."""
        if self.country is None or not len(days):
            return {}
        found: dict[int, str] = {}
        for year in range(day_of(int(days.min())).year, day_of(int(days.max())).year + 1):
            found.update(holidays_of_year(self.country, year))
        return found


def weekday(days: IntArray) -> IntArray:
    """0 = Monday .. 6 = Sunday."""
    return (days + _THURSDAY) % 7


def year_angle(days: IntArray) -> FloatArray:
    """Position in the tropical year in radians: leap days need no special case."""
    return days.astype(np.float64) * (2.0 * np.pi / 365.2425)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CalendarError(
            f"unknown time zone {name!r}; use an IANA name such as Europe/London"
        ) from error


def utc_offsets(timezone: str, hours: IntArray) -> IntArray:
    """Whole hours to add to UTC for local time, shape like `hours`."""
    if not len(hours) or timezone == "UTC":
        return np.zeros(len(hours), dtype=np.int64)
    first, last = int(hours.min()) // 8766, int(hours.max()) // 8766
    blocks = [_offsets_of_block(timezone, block) for block in range(first, last + 1)]
    return np.concatenate(blocks)[hours - first * 8766]


@lru_cache(maxsize=4096)
def _offsets_of_block(timezone: str, block: int) -> IntArray:
    """Offsets of 8,766 hours (a mean year); a day is searched hourly only where its ends differ."""
    zone = _zone(timezone)

    def offset(hour: int) -> int:
        moment = (EPOCH + timedelta(hours=hour)).astimezone(zone)
        return (moment.utcoffset() or timedelta()) // timedelta(hours=1)

    begin, size = block * 8766, 8766
    offsets = np.empty(size, dtype=np.int64)
    for low in range(0, size, 24):
        high = min(low + 24, size)
        left, right = offset(begin + low), offset(begin + high)
        offsets[low:high] = (
            left if left == right else [offset(begin + hour) for hour in range(low, high)]
        )
    offsets.setflags(write=False)
    return offsets


@lru_cache(maxsize=4096)
def holidays_of_year(country: str, year: int) -> dict[int, str]:
    """Holiday names of one year by day number; raises CalendarError for an unknown country."""
    import holidays  # noqa: PLC0415  (a third of a second: only queues with a country pay it)

    code, _, subdivision = country.partition("-")
    try:
        with warnings.catch_warnings():
            # Years for which a country's lunar feasts are unknown simply have fewer of them.
            warnings.simplefilter("ignore", UserWarning)
            found = holidays.country_holidays(code, subdiv=subdivision or None, years=year)
    except (NotImplementedError, AttributeError) as error:
        raise CalendarError(
            f"no holidays known for country {country!r}; use an ISO code such as GB or US-NY"
        ) from error
    return {day_number(day): _canonical(name) for day, name in _dates(found)}


def _dates(found: dict[date, str]) -> list[tuple[date, str]]:
    return sorted(found.items())


def _canonical(name: str) -> str:
    """One name per feast: a substitute day shares the effect of the day it stands for."""
    first = name.split(";", maxsplit=1)[0]
    for suffix in (" (observed)", " (substitute day)", " (in lieu)"):
        first = first.removesuffix(suffix)
    return first.strip()
