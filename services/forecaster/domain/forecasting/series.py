"""A count series on a regular grid: hours since the epoch in UTC, or days in the local calendar."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

EPOCH_DAY = date(1970, 1, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Frequency(StrEnum):
    """The two grids that are stored and forecast; coarser ones are sums of them."""

    HOURLY = "H"
    DAILY = "D"

    @property
    def season(self) -> int:
        """Steps of one week, the season every helpdesk has."""
        return 168 if self is Frequency.HOURLY else 7


class SeriesError(ValueError):
    """A series that cannot be read or forecast; the message names what to change."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Observed counts: `values[i]` belongs to step `start + i`; NaN is a gap (not observed).

    start: hours since 1970-01-01T00Z for hourly, days since 1970-01-01 for daily series.
    """

    frequency: Frequency
    start: int
    values: FloatArray

    @property
    def end(self) -> int:
        """First step after the data: the step a forecast starts with."""
        return self.start + len(self.values)

    def until(self, end: int) -> Self:
        """What was known before step `end`; the only way a backtest looks at the past."""
        return type(self)(self.frequency, self.start, self.values[: max(0, end - self.start)])

    def since(self, start: int) -> Self:
        """The part from step `start` on."""
        skipped = min(max(0, start - self.start), len(self.values))
        return type(self)(self.frequency, self.start + skipped, self.values[skipped:])

    @property
    def observed(self) -> BoolArray:
        """True where a count was seen."""
        return np.isfinite(self.values)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH_DAY).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH_DAY + timedelta(days=int(number))


def hour_number(moment: datetime) -> int:
    """Whole hours since the epoch of an aware moment."""
    return int((moment - EPOCH) // timedelta(hours=1))


def hour_of(number: int) -> datetime:
    """The UTC moment an hour number begins at."""
    return EPOCH + timedelta(hours=int(number))


def from_points(frequency: Frequency, points: Iterable[tuple[int, float]]) -> History:
    """A history out of (step, count) pairs in any order; missing steps become gaps.

    Raises SeriesError for counts that are negative or not finite. Equal steps are summed.
    """
    pairs = list(points)
    if not pairs:
        return History(frequency, 0, np.zeros(0))
    steps = np.array([step for step, _ in pairs], dtype=np.int64)
    counts = np.array([count for _, count in pairs], dtype=np.float64)
    if not bool(np.all(np.isfinite(counts) & (counts >= 0))):
        raise SeriesError("counts must be finite and not negative")
    start = int(steps.min())
    values = np.full(int(steps.max()) - start + 1, np.nan)
    sums = np.bincount(steps - start, weights=counts, minlength=len(values))
    seen = np.bincount(steps - start, minlength=len(values)) > 0
    values[seen] = sums[seen]
    return History(frequency, start, values)


def add(histories: Iterable[History]) -> History:
    """The sum of series over their union; a step counts as a gap only where every part has one."""
    parts = [part for part in histories if len(part.values)]
    if not parts:
        return History(Frequency.DAILY, 0, np.zeros(0))
    start = min(part.start for part in parts)
    end = max(part.end for part in parts)
    total = np.zeros(end - start)
    seen = np.zeros(end - start, dtype=np.bool_)
    for part in parts:
        window = slice(part.start - start, part.end - start)
        total[window] += np.where(part.observed, part.values, 0.0)
        seen[window] |= part.observed
    total[~seen] = np.nan
    return History(parts[0].frequency, start, total)


def upper_median(values: FloatArray) -> float:
    """The middle of at least one finite value, the upper of two.

    np.median takes ten times as long for a few hundred, and a fit asks it two dozen times.
    """
    half = len(values) // 2
    return float(np.partition(values, half)[half])
