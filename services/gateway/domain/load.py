"""Load over time: packed windows to one series, and series to coarser granularities."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadRequest
from shared.windows import Counts, Grain, periods, unpack

# 22 years of hours. More is a mistake, and would be tens of megabytes of zeros.
MOST_VALUES = 200_000
# 1970-01-01 was a Thursday; weeks start on Monday.
THURSDAY = 3


class Granularity(StrEnum):
    """Contract A's lengths of a value's interval, in UTC."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    @property
    def grain(self) -> Grain:
        return Grain.HOUR if self is Granularity.HOURLY else Grain.DAY


@dataclass(frozen=True, slots=True)
class Span:
    """Whole UTC days, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise BadRequest(f"start_date {self.first} lies after end_date {self.last}")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after the span."""
        if self.last == date.max:
            return datetime.max.replace(tzinfo=UTC)
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    def length(self, grain: Grain) -> int:
        return self.days * 86400 // grain.seconds

    def require_at_most(self, granularity: Granularity) -> None:
        """Raises BadRequest for a span of more values than one answer may have."""
        if (wanted := self.length(granularity.grain)) > MOST_VALUES:
            raise BadRequest(
                f"{wanted} {granularity} windows asked for, at most {MOST_VALUES} are read at once;"
                " ask for fewer days or a coarser granularity"
            )


def period_names(grain: Grain, span: Span) -> list[str]:
    """The periods whose strings cover the span, in order."""
    return [name for name, _, _ in periods(grain, span.start, span.end)]


def sum_windows(raws: Sequence[bytes | None], grain: Grain, span: Span) -> Counts:
    """Counts per window of the span, summed over series, shape (span.length(grain),).

    raws: packed strings, all periods of the first series, then all of the second, and so on.
    """
    covered = list(periods(grain, span.start, span.end))
    total = np.zeros(sum(length for _, _, length in covered), np.int64)
    for row in range(0, len(raws), len(covered)):
        at = 0
        for raw, (_, _, length) in zip(raws[row : row + len(covered)], covered, strict=True):
            if raw:
                total[at : at + length] += unpack(raw, length)
            at += length
    skipped = int((span.start - covered[0][1]).total_seconds()) // grain.seconds
    return total[skipped : skipped + span.length(grain)]


def resample(
    counts: Counts, first: date, granularity: Granularity
) -> tuple[Counts, NDArray[np.datetime64]]:
    """Sums per interval, and the first day (hourly: hour) of each.

    counts: windows of `granularity.grain` from the first moment of `first`. An interval that the
    counts cover partly has the sum of what they cover, and is still named by its own first day.
    """
    if granularity is Granularity.HOURLY:
        return counts, np.datetime64(first, "h") + np.arange(len(counts))
    days = np.datetime64(first, "D") + np.arange(len(counts))
    starts = _interval_starts(days, granularity)
    if not len(counts):
        return counts, starts
    begins = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]])
    return np.add.reduceat(counts, begins), starts[begins]


def _interval_starts(
    days: NDArray[np.datetime64], granularity: Granularity
) -> NDArray[np.datetime64]:
    if granularity is Granularity.WEEKLY:
        return days - (days.astype(np.int64) + THURSDAY) % 7
    if granularity is Granularity.MONTHLY:
        return days.astype("M8[M]").astype("M8[D]")
    if granularity is Granularity.QUARTERLY:
        months = days.astype("M8[M]").astype(np.int64)
        return (months - months % 3).astype("M8[M]").astype("M8[D]")
    if granularity is Granularity.YEARLY:
        return days.astype("M8[Y]").astype("M8[D]")
    return days
