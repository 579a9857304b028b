"""Weighing candidates by their past out-of-sample errors, separately for each lead bucket."""

import numpy as np

from services.forecaster.domain.series import FloatArray

# How fast a candidate's weight falls with its excess error: 10 % worse keeps exp(-1.5).
SHARPNESS = 15.0
# Origins it takes to trust measured errors half-way over the prior.
HALF_TRUST = 8.0


def lead_weights(
    errors: FloatArray, prior: FloatArray, buckets: tuple[int, ...], recency: FloatArray
) -> FloatArray:
    """Weights per candidate and lead, shape (candidates, leads), summing to one per lead.

    errors: absolute errors, shape (candidates, origins, leads), NaN where the outcome is not yet
    known. prior: shape (candidates, leads), weights before evidence. recency: shape (origins,).
    Between bucket centres weights are interpolated, so that a forecast has no steps in it.
    """
    leads = errors.shape[2]
    knots, rows = [], []
    for low, high in zip((0, *buckets[:-1]), buckets, strict=True):
        if low >= leads:
            break
        part = errors[:, :, low:high]
        knots.append(np.log((low + 1 + min(high, leads)) / 2.0))
        rows.append(_bucket_weights(part, prior[:, low:high].mean(axis=1), recency))
    grid = np.log(np.arange(1, leads + 1))
    weights = np.array([np.interp(grid, knots, column) for column in np.array(rows).T])
    normalised: FloatArray = weights / weights.sum(axis=0)
    return normalised


def _bucket_weights(errors: FloatArray, prior: FloatArray, recency: FloatArray) -> FloatArray:
    known = np.logical_and.reduce(np.isfinite(errors), axis=0)
    worth = np.where(known, recency[:, None], 0.0)
    total = float(worth.sum())
    if total <= 0:
        return prior
    costs = np.where(known, errors, 0.0).reshape(len(errors), -1) @ worth.ravel() / total
    excess = costs / max(float(costs[prior > 0].min()), 1e-9) - 1.0
    judged = np.logical_or.reduce(known, axis=1)
    origins = float(recency[judged].sum())
    trust = origins / (origins + HALF_TRUST)
    weights = prior * np.exp(-SHARPNESS * trust * np.maximum(excess, 0.0))
    normalised: FloatArray = weights / weights.sum()
    return normalised
