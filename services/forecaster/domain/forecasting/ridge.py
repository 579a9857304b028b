"""Closed-form discounted ridge on log counts, solved at many origins for the price of one pass."""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.forecasting.design import Design
from services.forecaster.domain.forecasting.scales import FEWEST_DAYS, scale_factors
from services.forecaster.domain.forecasting.series import FloatArray, IntArray

HALF_LIFE_DAYS = 730.0
_HUBER = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class RidgeFits:
    """Coefficients per origin.

    origins: shape (K,), number of days known at each. coefficients: shape (K, columns);
    trends: shape (K,), change of log counts per day.
    """

    origins: IntArray
    coefficients: FloatArray
    trends: FloatArray

    def log_fit(self, matrix: FloatArray) -> FloatArray:
        """Linear predictor with the trend frozen at each origin, shape (K, days).

        matrix: rows of the design, counted from the same first day as the fit.
        """
        steps = np.minimum(np.arange(len(matrix)), self.origins[:, None] - 1)
        return self.coefficients @ matrix.T + self.trends[:, None] * steps


def fit_at_origins(design: Design, counts: FloatArray, origins: IntArray) -> RidgeFits:
    """Fit log(1 + counts) on the calendar with weights halving every two years.

    counts: shape (n,), NaN = gap. origins: ascending, each fit uses days before its origin only
    (the noise level, outlier weights and the strength of effects are taken from the last one, see
    `_noise` and `scale_factors`).
    """
    n = len(counts)
    seen = np.isfinite(counts)
    target = np.log1p(np.where(seen, counts, 0.0))
    matrix = np.column_stack([design.matrix[:n], np.arange(n) / 365.25])
    weights = np.where(seen, 0.5 ** ((n - 1 - np.arange(n)) / HALF_LIFE_DAYS), 0.0)
    first = _solved(_sums(matrix, target, weights, origins[-1:]), *_penalty(design, 0.05, 5.0))[0]
    residuals = np.where(seen, target - matrix @ first, 0.0)
    variance, inflation, scale = _noise(residuals[seen])
    weights = weights * np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(residuals), 1e-9))
    sums = _sums(matrix, target, weights, origins)
    penalty, prior = _penalty(design, variance, inflation)
    if seen.sum() >= FEWEST_DAYS:
        kinds = _kinds(design, variance, inflation)
        penalty /= scale_factors(sums[0][-1], sums[1][-1], penalty, prior, kinds) ** 2
    solved = _solved(sums, penalty, prior)
    return RidgeFits(origins, solved[:, :-1], solved[:, -1] / 365.25)


def _kinds(design: Design, variance: float, inflation: float) -> list[tuple[IntArray, float]]:
    """Columns whose effects are strong or weak together, and the noise they are told from."""
    trend = np.array([design.matrix.shape[1]])
    return [
        (np.flatnonzero(design.weekdays), variance),
        (np.flatnonzero(design.slow), variance),
        (trend, variance * inflation),
        (np.flatnonzero(design.feasts), variance),
    ]


def _noise(residuals: FloatArray) -> tuple[float, float, float]:
    """Variance of the noise, how much slow noise exceeds white noise, and a robust scale."""
    if len(residuals) < 14:
        return 0.1, 10.0, 1.0
    scale = max(float(np.median(np.abs(residuals))) * 1.4826, 0.02)
    clipped = np.clip(residuals, -3 * scale, 3 * scale)
    variance = max(float(clipped.var()), 1e-4)
    usable = len(clipped) // 28 * 28
    if usable < 4 * 28:
        return variance, 10.0, scale
    months = clipped[-usable:].reshape(-1, 28).mean(axis=1)
    return variance, float(np.clip(28.0 * np.mean(months**2) / variance, 1.0, 28.0)), scale


def _penalty(design: Design, variance: float, inflation: float) -> tuple[FloatArray, FloatArray]:
    """Bayesian ridge: noise variance over prior variance, slow columns against slow noise."""
    scales = np.append(design.prior_scale, design.trend_scale)
    slow = np.append(design.slow, True)
    noise = np.where(slow, variance * inflation, variance)
    finite = np.isfinite(scales)
    penalty = np.where(finite, noise / np.where(finite, scales, 1.0) ** 2, 1e-6)
    return penalty, np.append(design.prior_mean, 0.0)


def _sums(
    matrix: FloatArray, target: FloatArray, weights: FloatArray, origins: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted X'X, shape (K, columns, columns), and X'y, (K, columns), of days before origins."""
    n, p = matrix.shape
    weighted = matrix * weights[:, None]
    grams, moments = np.empty((len(origins), p, p)), np.empty((len(origins), p))
    gram: FloatArray = np.zeros((p, p))
    moment: FloatArray = np.zeros(p)
    done = 0
    for k, origin in enumerate(origins):
        rows = slice(done, int(origin))
        gram += weighted[rows].T @ matrix[rows]
        moment += weighted[rows].T @ target[rows]
        # Weights are written as seen from the last day; each origin discounts from its own.
        factor = 2.0 ** ((n - int(origin)) / HALF_LIFE_DAYS)
        grams[k], moments[k], done = gram * factor, moment * factor, int(origin)
    return grams, moments


def _solved(
    sums: tuple[FloatArray, FloatArray], penalty: FloatArray, prior: FloatArray
) -> FloatArray:
    """Ridge solutions per origin, shape (K, columns), from `_sums`; prior: mean per column."""
    grams, moments = sums
    solved = np.linalg.solve(grams + np.diag(penalty), (moments + penalty * prior)[..., None])
    return np.asarray(solved[..., 0], dtype=np.float64)
