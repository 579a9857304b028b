"""Weighing candidates by their past out-of-sample errors, separately for each lead bucket."""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.forecasting.leads import in_buckets, over_leads
from services.forecaster.domain.forecasting.series import FloatArray, IntArray

# How fast a candidate's weight falls with its excess error: 10 % worse keeps exp(-1.5).
SHARPNESS = 15.0
# Origins it takes to trust measured errors half-way over the prior.
HALF_TRUST = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class LeadWeights:
    """Weights of candidates per lead bucket. knots: log leads, (B,); values: (B, candidates)."""

    knots: FloatArray
    values: FloatArray

    def at(self, leads: IntArray) -> FloatArray:
        """Weights per candidate and lead, shape (candidates, leads), summing to one per lead.

        Between buckets they are interpolated, so that a forecast has no steps in it.
        """
        weights = over_leads(leads, self.knots, self.values).T
        normalised: FloatArray = weights / weights.sum(axis=0)
        return normalised


def lead_weights(
    errors: FloatArray,
    prior: FloatArray,
    leads: IntArray,
    buckets: tuple[int, ...],
    recency: FloatArray,
) -> LeadWeights:
    """Weigh candidates by past errors.

    errors: absolute errors, shape (candidates, origins, leads), NaN where the outcome is not yet
    known. prior: shape (candidates, leads), weights before evidence. leads: ascending. recency:
    shape (origins,).
    """
    spans = in_buckets(leads, buckets)
    values = [
        _bucket_weights(errors[:, :, span], prior[:, span].mean(axis=1), recency)
        for span, _ in spans
    ]
    return LeadWeights(np.array([knot for _, knot in spans]), np.array(values))


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
