"""Distributions of small counts: negative binomial quantiles without a statistics library."""

from statistics import NormalDist

import numpy as np

from services.forecaster.domain.forecasting.distribution import QUANTILES
from services.forecaster.domain.forecasting.series import FloatArray

# Below this mean per step a count is mostly zero or one and residuals say little.
LOW_VOLUME = 1.5
_HALF_LIFE = 91.0
# Terms that are summed at most; counts that would need more look continuous.
_LONGEST_SUM = 5000.0


def negative_binomial_quantiles(
    mean: FloatArray, size: float, levels: tuple[float, ...] = QUANTILES
) -> FloatArray:
    """Smallest counts whose cumulative probability reaches each level, shape (n, levels).

    mean: shape (n,), not negative. size: the dispersion r in variance = mean + mean^2 / r.
    """
    highest = float(mean.max()) if len(mean) else 0.0
    deviation = np.sqrt(highest + highest**2 / size)
    support = highest + 12.0 * deviation + 12.0
    if support > _LONGEST_SUM:
        return _gamma_quantiles(mean, size, levels)
    counts = np.arange(1, int(np.ceil(support)) + 1)
    safe = np.maximum(mean, 1e-12)[:, None]
    success = safe / (safe + size)
    steps = np.log((counts - 1 + size) / counts) + np.log(success)
    first = size * np.log1p(-success)
    probabilities = np.exp(np.hstack([first, first + np.cumsum(steps, axis=1)]))
    cumulative = np.cumsum(probabilities, axis=1)
    return np.stack(
        [(cumulative < level - 1e-12).sum(axis=1).astype(np.float64) for level in levels], axis=1
    )


def _gamma_quantiles(mean: FloatArray, size: float, levels: tuple[float, ...]) -> FloatArray:
    """Quantiles of a gamma with the same mean and variance (Wilson & Hilferty 1931)."""
    safe = np.maximum(mean, 1e-12)[:, None]
    shape = safe**2 / (safe + safe**2 / size)
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    root = 1.0 - 1.0 / (9.0 * shape) + normal / (3.0 * np.sqrt(shape))
    quantiles: FloatArray = np.round(safe * np.maximum(root, 0.0) ** 3)
    return quantiles


def estimated_size(counts: FloatArray, mean: FloatArray) -> float:
    """Dispersion r by moments, kept in [0.3, 1000]; counts and their means, shape (n,)."""
    known = np.isfinite(counts)
    if known.sum() < 8 or float(mean[known].sum()) <= 0:
        return 2.0
    excess = float(((counts[known] - mean[known]) ** 2 - mean[known]).sum())
    square = float((mean[known] ** 2).sum())
    return float(np.clip(square / max(excess, 1e-9), 0.3, 1000.0))


def discounted_rate(counts: FloatArray, half_life: float = _HALF_LIFE) -> tuple[float, float]:
    """Recency-weighted mean per step and the number of steps it rests on (NaN = gap)."""
    known = np.isfinite(counts)
    weights = np.where(known, 0.5 ** (np.arange(len(counts))[::-1] / half_life), 0.0)
    worth = float(weights.sum())
    return float((weights * np.where(known, counts, 0.0)).sum()) / max(worth, 1e-9), worth
