"""Local corrections of a calendar fit: level at several memories, and drifting weekdays."""

import numpy as np

from services.forecaster.domain.forecasting.calendar import weekday
from services.forecaster.domain.forecasting.series import FloatArray, IntArray

HALF_LIVES = (1.5, 4.0, 10.0, 25.0, 60.0, 150.0)
WEEKDAY_HALF_LIFE = 70.0
WINDOW = 420
# Ratio of sums needs counts of this size before logs are the better average.
LOG_LEVEL = 20.0


def level_factors(
    counts: FloatArray, fitted: FloatArray, origins: IntArray, half_lives: tuple[float, ...]
) -> FloatArray:
    """Multiplicative level against the fit, shape (half_lives, K), known at each origin.

    counts: shape (n,), winsorised, NaN = gap. fitted: shape (n, K), in-sample fit per origin.
    This is simple exponential smoothing of calendar-adjusted counts, written as the weighted
    mean it is, so that all origins and memories are two matrix products.
    """
    ages = np.arange(min(WINDOW, len(counts)))
    weights = 0.5 ** (ages[None, :] / np.array(half_lives)[:, None])
    rows = origins[:, None] - 1 - ages[None, :]
    valid = rows >= 0
    rows = np.maximum(rows, 0)
    observed = counts[rows]
    valid &= np.isfinite(observed)
    fits = fitted[rows, np.arange(len(origins))[:, None]]
    observed = np.where(valid, observed, 0.0)
    fits = np.where(valid, fits, 0.0)
    if float(fits.sum()) / max(1, int(valid.sum())) > LOG_LEVEL:
        logs = np.where(valid, np.log1p(observed) - np.log1p(fits), 0.0)
        prior = 0.2
        factors = np.exp(logs @ weights.T / (valid @ weights.T + prior))
    else:
        prior = 1.0
        factors = (observed @ weights.T + prior) / (fits @ weights.T + prior)
    transposed: FloatArray = factors.T
    return transposed


def weekday_factors(
    counts: FloatArray, fitted: FloatArray, origins: IntArray, first_day: int
) -> FloatArray:
    """How each weekday departs from the fit lately, shape (K, 7), shrunk towards one."""
    ages = np.arange(min(WINDOW // 2, len(counts)))
    rows = origins[:, None] - 1 - ages[None, :]
    valid = rows >= 0
    rows = np.maximum(rows, 0)
    observed = counts[rows]
    valid &= np.isfinite(observed)
    fits = np.where(valid, fitted[rows, np.arange(len(origins))[:, None]], 0.0)
    observed = np.where(valid, observed, 0.0)
    decay = 0.5 ** (ages / WEEKDAY_HALF_LIFE)
    days = np.eye(7)[weekday(rows + first_day)]
    level = (observed @ decay + 1.0) / (fits @ decay + 1.0)
    seen = np.einsum("kw,kwd->kd", observed * decay, days)
    expected = np.einsum("kw,kwd->kd", fits * decay, days) * level[:, None]
    prior = 3.0 * expected.mean(axis=1, keepdims=True) / 9.0 + 2.0
    factors: FloatArray = (seen + prior) / (expected + prior)
    return factors
