"""Scores of forecasts against what happened, per lead bucket and relative to the naive one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.forecasting.distribution import QUANTILES, ForecastDistribution
from services.forecaster.domain.forecasting.series import FloatArray, History

LEAD_BUCKETS = ((1, 7), (8, 28), (29, 84), (85, 300), (301, 7200))
_LEVELS = np.array(QUANTILES)


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of one forecast in one lead bucket, or their mean over many.

    mase: mean absolute error of the mean over the in-sample mean absolute seasonal difference
    (Hyndman & Koehler 2006). wape: sum of absolute errors over the sum of counts. pinball: mean
    over the five quantiles, in tickets; scaled_pinball: over the same scale as mase.
    coverage_80, coverage_95: share of outcomes inside [.1, .9] and [.025, .975].
    """

    mase: float
    absolute_error: float
    actual: float
    pinball: float
    scaled_pinball: float
    coverage_80: float
    coverage_95: float
    points: int

    @property
    def wape(self) -> float:
        """Weighted absolute percentage error, 0.1 = 10 %."""
        return self.absolute_error / max(self.actual, 1e-9)


def seasonal_scale(history: History) -> float:
    """Mean absolute difference to a week before; 1 where that is 0 or nothing is known."""
    season = history.frequency.season
    differences = history.values[season:] - history.values[:-season]
    differences = differences[np.isfinite(differences)]
    scale = float(np.abs(differences).mean()) if len(differences) else 1.0
    return scale if scale > 0 else 1.0


def pinball(actuals: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Mean pinball loss over QUANTILES per point. actuals: (n,), quantiles: (n, 5)."""
    errors = actuals[:, None] - quantiles
    losses: FloatArray = np.maximum(_LEVELS * errors, (_LEVELS - 1.0) * errors).mean(axis=1)
    return losses


def bucket_name(bucket: tuple[int, int]) -> str:
    """The name of a lead bucket in tables and JSON, e.g. "8-28"."""
    return f"{bucket[0]}-{bucket[1]}"


def score_by_bucket(
    distribution: ForecastDistribution, actuals: FloatArray, scale: float
) -> dict[str, Score]:
    """Scores of one forecast per lead bucket; gaps are left out, empty buckets missing."""
    scores = {}
    for low, high in LEAD_BUCKETS:
        part = slice(low - 1, min(high, len(actuals)))
        known = np.isfinite(actuals[part])
        if not known.any():
            continue
        seen = actuals[part][known]
        mean = distribution.mean[part][known]
        quantiles = distribution.quantiles[part][known]
        errors = np.abs(seen - mean)
        losses = pinball(seen, quantiles)
        scores[bucket_name((low, high))] = Score(
            mase=float(errors.mean()) / scale,
            absolute_error=float(errors.sum()),
            actual=float(seen.sum()),
            pinball=float(losses.mean()),
            scaled_pinball=float(losses.mean()) / scale,
            coverage_80=float(((seen >= quantiles[:, 1]) & (seen <= quantiles[:, 3])).mean()),
            coverage_95=float(((seen >= quantiles[:, 0]) & (seen <= quantiles[:, 4])).mean()),
            points=int(known.sum()),
        )
    return scores


def mean_score(scores: Iterable[Score], *, by_points: bool = False) -> Score:
    """Mean of many scores, each forecast counting the same (or, by_points, each outcome)."""
    found: Sequence[Score] = list(scores)
    if not found:
        raise ValueError("no forecast was scored")
    weights = np.array([score.points if by_points else 1.0 for score in found])

    def average(name: str) -> float:
        return float(np.average([getattr(score, name) for score in found], weights=weights))

    return Score(
        mase=average("mase"),
        absolute_error=sum(score.absolute_error for score in found),
        actual=sum(score.actual for score in found),
        pinball=average("pinball"),
        scaled_pinball=average("scaled_pinball"),
        coverage_80=average("coverage_80"),
        coverage_95=average("coverage_95"),
        points=sum(score.points for score in found),
    )
