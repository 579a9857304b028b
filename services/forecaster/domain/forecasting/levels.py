"""Local corrections of a calendar fit: level at several memories, and drifting weekdays."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from services.forecaster.domain.forecasting.calendar import weekday
from services.forecaster.domain.forecasting.series import BoolArray, FloatArray, IntArray

HALF_LIVES = (1.5, 4.0, 10.0, 25.0, 60.0, 150.0)
WEEKDAY_HALF_LIFE = 70.0
WINDOW = 420
# Ratio of sums needs counts of this size before logs are the better average.
LOG_LEVEL = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """The days right before each of some origins, the latest last.

    observed, fitted: winsorised counts and the calendar's, 0 where unknown, shape (K, days).
    known: the same shape. ages: days before the origin's eve, shape (days,), the last is 0.
    """

    observed: FloatArray
    fitted: FloatArray
    known: BoolArray
    ages: IntArray

    @classmethod
    def before(cls, origins: IntArray, counts: FloatArray, fitted: FloatArray) -> Self:
        """counts: shape (n,), winsorised, NaN = gap. fitted: in-sample, shape (K, n or more)."""
        days = min(WINDOW, len(counts))
        padded = np.concatenate([np.full(days, np.nan), counts])
        observed = sliding_window_view(padded, days)[origins]
        known = np.isfinite(observed)
        calendar = np.zeros(observed.shape)
        for row, fit, origin in zip(calendar, fitted, origins.tolist(), strict=True):
            row[max(0, days - origin) :] = fit[max(0, origin - days) : origin]
        ages = np.arange(days)[::-1]
        return cls(np.where(known, observed, 0.0), np.where(known, calendar, 0.0), known, ages)

    def last(self, days: int) -> Self:
        """Only so many of the days."""
        parts = (self.observed[:, -days:], self.fitted[:, -days:], self.known[:, -days:])
        return type(self)(*parts, self.ages[-days:])


def level_factors(recent: Recent, half_lives: tuple[float, ...]) -> FloatArray:
    """Multiplicative level against the fit, shape (half_lives, K), known at each origin.

    This is simple exponential smoothing of calendar-adjusted counts, written as the weighted
    mean it is, so that all origins and memories are two matrix products.
    """
    weights = 0.5 ** (recent.ages[:, None] / np.array(half_lives))
    observed, fits, known = recent.observed, recent.fitted, recent.known
    factors: FloatArray
    if float(fits.sum()) / max(1, int(known.sum())) > LOG_LEVEL:
        # Where nothing is known both are zero.
        logs = np.log(1.0 + observed) - np.log(1.0 + fits)
        prior = 0.2
        factors = np.exp(logs @ weights / (known @ weights + prior))
    else:
        prior = 1.0
        factors = (observed @ weights + prior) / (fits @ weights + prior)
    return factors.T


def weekday_factors(recent: Recent, origins: IntArray, first_day: int) -> FloatArray:
    """How each weekday departs from the fit lately, shape (K, 7), shrunk towards one.

    first_day: day number of day 0 of the origins.
    """
    recent = recent.last(WINDOW // 2)
    decay = 0.5 ** (recent.ages / WEEKDAY_HALF_LIFE)
    observed, fits = recent.observed * decay, recent.fitted * decay
    level = (observed.sum(axis=1) + 1.0) / (fits.sum(axis=1) + 1.0)
    # The same day of every week, from the origin's own weekday on.
    seen, expected = (_by_age_in_week(each) for each in (observed, fits))
    expected *= level[:, None]
    kinds = weekday(origins[:, None] - 1 - np.arange(7) + first_day)
    prior = 3.0 * expected.mean(axis=1, keepdims=True) / 9.0 + 2.0
    factors = np.empty(kinds.shape)
    np.put_along_axis(factors, kinds, (seen + prior) / (expected + prior), axis=1)
    return factors


def _by_age_in_week(values: FloatArray) -> FloatArray:
    """Sums over the days that are 0, 1 .. 6 days and whole weeks old, shape (K, 7)."""
    count, days = values.shape
    weeks = -(-days // 7)
    whole = np.zeros((count, weeks * 7))
    whole[:, -days:] = values
    sums: FloatArray = whole.reshape(count, weeks, 7).sum(axis=1)[:, ::-1]
    return sums
