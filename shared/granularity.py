"""Lengths of an interval in contract A, and sums of hours or days to them."""

from datetime import date
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.windows import Grain

# 1970-01-01 was a Thursday; weeks start on Monday.
THURSDAY = 3
Number = TypeVar("Number", np.int64, np.float64)


class Granularity(StrEnum):
    """Contract A's lengths of a value's interval."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    @property
    def grain(self) -> Grain:
        return Grain.HOUR if self is Granularity.HOURLY else Grain.DAY


def resample(
    counts: NDArray[Number], first: date, granularity: Granularity
) -> tuple[NDArray[Number], NDArray[np.datetime64]]:
    """Sums per interval, and the first day (hourly: hour) of each.

    counts: windows of `granularity.grain` from the first moment of `first`, along the first axis.
    An interval that the counts cover partly has the sum of what they cover, and is still named by
    its own first day.
    """
    if granularity is Granularity.HOURLY:
        return counts, np.datetime64(first, "h") + np.arange(len(counts))
    starts = interval_starts(np.datetime64(first, "D") + np.arange(len(counts)), granularity)
    if not len(counts):
        return counts, starts
    begins = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]])
    return np.add.reduceat(counts, begins, axis=0), starts[begins]


def interval_starts(
    days: NDArray[np.datetime64], granularity: Granularity
) -> NDArray[np.datetime64]:
    """The first day of the interval that each day lies in; days for hourly and daily."""
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
