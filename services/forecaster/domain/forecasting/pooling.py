"""Weighing candidates by how their combination would have done, separately for each lead bucket.

Candidates that err together share one candidate's worth: what is judged is the pool, not each of
them alone (stacking, Wolpert 1992, shrunk towards a prior by relative entropy).
"""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.forecasting.leads import in_buckets, over_leads
from services.forecaster.domain.forecasting.series import FloatArray, IntArray, upper_median

# What a pool 1 % better in error is worth against departing from the prior.
SHARPNESS = 25.0
# Origins it takes to trust measured errors half-way over the prior.
HALF_TRUST = 8.0
# Spans of neighbouring origins that are rehearsed by the weights of the others.
_FOLDS = 4
_ROUNDS = 24
_ODD = 8.0  # times the typical error of a bucket; beyond it one odd day would choose the weights


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

    def pool(self, candidates: FloatArray, leads: IntArray) -> FloatArray:
        """The combination of candidates, shape (candidates, origins, leads)."""
        pooled: FloatArray = np.einsum("cl,ckl->kl", self.at(leads), candidates)
        return pooled


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What some spans of origins showed, per span and bucket.

    products: sums of products of the candidates' errors, (F, B, C, C). worth: recency summed
    over outcomes, (F, B). origins: recency summed over origins, (F, B).
    """

    products: FloatArray
    worth: FloatArray
    origins: FloatArray

    def without_each(self) -> "_Evidence":
        """All spans but one, for each; and all of them, last."""
        parts = (self.products, self.worth, self.origins)
        sums = [part.sum(axis=0, keepdims=True) for part in parts]
        return _Evidence(
            *(
                np.concatenate([total - part, total])
                for part, total in zip(parts, sums, strict=True)
            )
        )


def lead_weights(
    past: FloatArray,
    actuals: FloatArray,
    prior: FloatArray,
    leads: IntArray,
    buckets: tuple[int, ...],
    *,
    recency: FloatArray,
    spacing: int,
) -> tuple[LeadWeights, FloatArray]:
    """Weights by past errors, and what such weights would have forecast in the past.

    past: what candidates forecast, shape (candidates, origins, leads). actuals: what happened,
    (origins, leads), NaN where it is not yet known. prior: (candidates, leads), weights before
    evidence. leads: ascending. recency: (origins,). spacing: steps from one origin to the next;
    forecasts over more leads than that overlap and count as fewer.

    The rehearsal, (origins, leads), forecasts each span of origins with the weights that the
    others alone would have given: its errors are those of weights that did not see them.
    """
    spans = in_buckets(leads, buckets)
    knots = np.array([knot for _, knot in spans])
    folds = np.arange(len(recency)) * _FOLDS // max(1, len(recency))
    evidence = _evidence(past, actuals, [span for span, _ in spans], recency, folds)
    before = np.array([prior[:, span].mean(axis=1) for span, _ in spans])
    *others, every = (
        LeadWeights(knots, values)
        for values in _weights(
            evidence.without_each(),
            before / before.sum(axis=1, keepdims=True),
            np.minimum(1.0, spacing / np.exp(knots)),
        )
    )
    rehearsed = np.empty(actuals.shape)
    for fold, weights in enumerate(others):
        rehearsed[folds == fold] = weights.pool(past[:, folds == fold], leads)
    return every, rehearsed


def _evidence(
    past: FloatArray, actuals: FloatArray, spans: list[slice], recency: FloatArray, folds: IntArray
) -> _Evidence:
    """Sums over each fold of origins; errors are Pearson residuals, cut where they are odd."""
    count = len(past)
    products = np.zeros((_FOLDS, len(spans), count, count))
    worth, origins = np.zeros((_FOLDS, len(spans))), np.zeros((_FOLDS, len(spans)))
    known = np.isfinite(actuals)
    seen = np.where(known, actuals, 0.0)
    errors = np.where(known, past - seen, 0.0) / np.sqrt(seen + 1.0)
    typical = np.abs(errors.mean(axis=0))
    # Folds are runs of neighbours.
    bounds = np.searchsorted(folds, np.arange(_FOLDS + 1)).tolist()
    for b, span in enumerate(spans):
        there = known[:, span]
        if not there.any():
            continue
        limit = _ODD * upper_median(typical[:, span][there]) + 1e-9
        part = np.clip(errors[:, :, span], -limit, limit) * np.sqrt(recency)[:, None]
        for fold in range(_FOLDS):
            mine = slice(bounds[fold], bounds[fold + 1])
            flat = part[:, mine].reshape(count, -1)
            products[fold, b] = flat @ flat.T
            worth[fold, b] = recency[mine] @ there[mine].sum(axis=1)
            origins[fold, b] = recency[mine] @ there[mine].any(axis=1)
    return _Evidence(products, worth, origins)


def _weights(evidence: _Evidence, prior: FloatArray, alone: FloatArray) -> FloatArray:
    """Weights w that minimise S log(w'Gw) / 2 + KL(w, prior), shape (F, B, C).

    alone: share of each bucket's origins that would not overlap, (B,). G: the mean products of
    errors; S: SHARPNESS, less where few origins speak. Each round moves towards the minimum of
    the loss made linear, by ever smaller steps (the generalised conditional gradient: long steps
    alone would go back and forth between two good candidates).
    """
    safe = np.maximum(evidence.worth, 1e-9)[..., None, None]
    mean = evidence.products / safe
    origins = evidence.origins * alone
    trust = (SHARPNESS * origins / (origins + HALF_TRUST))[..., None]
    weights = np.broadcast_to(prior, mean.shape[:-1]).copy()
    for done in range(_ROUNDS):
        slope = (mean @ weights[..., None])[..., 0]
        slope /= np.maximum((weights * slope).sum(axis=-1, keepdims=True), 1e-12)
        wanted = prior * np.exp(trust * (slope.min(axis=-1, keepdims=True) - slope))
        wanted /= wanted.sum(axis=-1, keepdims=True)
        weights += 2.0 / (done + 3.0) * (wanted - weights)
    return weights
