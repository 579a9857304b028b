"""Prediction intervals from out-of-sample residuals per lead bucket (split conformal).

Residuals are studentised as (y - f) / (f + 0.5)^p: p = 0.5 is Pearson's residual of a Poisson
count, p = 1 fits series whose spread is proportional to the level; history decides.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from services.forecaster.domain.forecasting.distribution import MEDIAN, QUANTILES, ordered
from services.forecaster.domain.forecasting.leads import in_buckets, over_leads
from services.forecaster.domain.forecasting.series import (
    BoolArray,
    FloatArray,
    IntArray,
    upper_median,
)

DAILY_BUCKETS = (1, 7, 14, 28, 56, 84, 168, 300)
HOURLY_BUCKETS = (1, 3, 6, 12, 24, 48, 96, 168, 336, 7200)
NORMAL = np.array([-1.959964, -1.281552, 0.0, 1.281552, 1.959964])
POWERS = (0.5, 0.75, 1.0)
# Residuals a normal distribution is worth where a bucket holds few of them.
_PRIOR_WORTH = 12.0
# Outer ends rest on few outcomes: the prior speaks longer, and rehearsals are believed more.
_OUTER_WORTH = 30.0
_WORTH = np.array([_OUTER_WORTH, _PRIOR_WORTH, _PRIOR_WORTH, _PRIOR_WORTH, _OUTER_WORTH])
_INNER_TRUST, _OUTER_TRUST = 0.6, 0.9
_MOST = 2.5  # times as wide as residuals say, before trust
# Phases a day or a week may have, and outcomes after which one of them speaks for itself.
PHASES = 24
_PHASE_PRIOR = 80.0
# Outcomes a bucket needs to be described at all.
_FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class ResidualRings:
    """Quantiles of studentised residuals at the centre of each lead bucket that was observed.

    knots: log of the bucket's central lead, ascending. offsets: shape (knots, 5). spread: how
    residuals of each phase (hour of day, weekday) compare with all, shape (phases,). span: steps
    from the first of the origins to the end of what they were compared with.
    """

    power: float
    knots: FloatArray
    offsets: FloatArray
    spread: FloatArray
    span: int

    @classmethod
    def learn(
        cls,
        forecasts: FloatArray,
        actuals: FloatArray,
        leads: IntArray,
        buckets: tuple[int, ...],
        *,
        weights: FloatArray,
        phases: IntArray,
        span: int,
        narrowest: float = 1.0,
    ) -> Self:
        """From past forecasts, shape (origins, leads), and what happened (NaN: unknown).

        leads: ascending, shape (leads,). weights: shape (origins,), e.g. recency. phases: hour
        of day or weekday of each outcome, shape (origins, leads). narrowest: how far a rehearsal
        may narrow the 80 % interval; the outer one is only widened, few outcomes lie outside it.
        """
        known = np.isfinite(actuals)
        power = _power(forecasts, actuals, known)
        residuals = np.where(known, (actuals - forecasts) / scale_of(forecasts, power), np.nan)
        spread = _phase_spread(np.abs(residuals[known]), phases[known])
        residuals /= spread[phases]
        spans = [
            (span, knot)
            for span, knot in in_buckets(leads, buckets)
            if np.isfinite(residuals[:, span]).sum() >= _FEWEST
        ]
        if not spans:
            return cls(0.5, np.zeros(1), NORMAL[None, :] * 1.5, spread, span)
        offsets = np.array([_offsets(residuals[:, span], weights) for span, _ in spans])
        inflation = _inflation(residuals, [span for span, _ in spans], weights, narrowest)
        knots = np.array([knot for _, knot in spans])
        return cls(power, knots, offsets * inflation, spread, span)

    def quantiles(self, mean: FloatArray, phases: IntArray) -> FloatArray:
        """Quantiles around a forecast of leads 1.., shape (leads, 5); see `rounded`.

        phases: of each lead, shape (leads,).
        """
        leads = np.arange(1, len(mean) + 1)
        offsets = over_leads(leads, self.knots, self.offsets)
        middle = offsets[:, [MEDIAN]]
        offsets = middle + (offsets - middle) * self._unseen(leads)[:, None]
        scale = scale_of(mean, self.power) * self.spread[phases]
        return ordered(mean[:, None] + offsets * scale[:, None])

    def _unseen(self, leads: IntArray) -> FloatArray:
        """How much wider than past residuals the future is, shape (leads,).

        Forecasts that overlap err together: a span of n leads has shown their spread n times
        only, and the next draw departs from n draws by sqrt(1 + 1 / n) of it. Beyond the leads
        ever seen, uncertainty grows as a random walk's would, but slower.
        """
        span = max(self.span, 1)
        few = np.sqrt(1.0 + np.minimum(leads, span) / span)
        beyond = np.maximum(np.log(leads) - self.knots[-1] - 0.5, 0.0)
        wider: FloatArray = few * np.exp(0.25 * beyond)
        return wider


def _phase_spread(errors: FloatArray, phases: IntArray) -> FloatArray:
    """Mean error of each phase over that of all, shape (PHASES,), shrunk towards one."""
    sums = np.bincount(phases, weights=errors, minlength=PHASES)
    seen = np.bincount(phases, minlength=PHASES)
    typical = float(errors.mean()) if len(errors) else 1.0
    return (sums + _PHASE_PRIOR * typical) / ((seen + _PHASE_PRIOR) * max(typical, 1e-9))


def scale_of(mean: FloatArray, power: float) -> FloatArray:
    """Spread expected at a mean, up to a constant."""
    scaled: FloatArray = (np.maximum(mean, 0.0) + 0.5) ** power
    return scaled


def _power(forecasts: FloatArray, actuals: FloatArray, known: BoolArray) -> float:
    """The studentising exponent with the highest Laplace likelihood of the residuals."""
    base = np.log(np.maximum(forecasts[known], 0.0) + 0.5)
    if len(base) < 20:
        return 0.5
    errors = np.abs(actuals[known] - forecasts[known])
    costs = [
        power * float(base.mean()) + np.log(float((errors * np.exp(-power * base)).mean()) + 1e-12)
        for power in POWERS
    ]
    return POWERS[int(np.argmin(costs))]


def _offsets(residuals: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted quantiles of one bucket, blended with a normal where evidence is thin."""
    known = np.isfinite(residuals)
    values = residuals[known]
    worth = np.broadcast_to(weights[:, None], residuals.shape)[known]
    empirical = weighted_quantiles(values, worth, np.array(QUANTILES))
    # Errors of one origin go together: origins count, the leads inside a bucket hardly do.
    origins = known.any(axis=1)
    evidence = float(weights[origins].sum()) * min(3.0, (known.sum() / origins.sum()) ** 0.5)
    squares = values * values
    squares = np.minimum(squares, 16 * upper_median(squares) + 1e-9)
    spread = float(np.sqrt((squares @ worth) / worth.sum()))
    share = evidence / (evidence + _WORTH)
    blended: FloatArray = share * empirical + (1 - share) * spread * students_t(evidence)
    return blended


def students_t(freedom: float) -> FloatArray:
    """Quantiles of Student's t at QUANTILES: a spread known from few outcomes has heavier tails.

    Expanded around the normal's (Abramowitz & Stegun 26.7.5); freedom below 2 counts as 2.
    """
    z, v = NORMAL, max(freedom, 2.0)
    quantiles: FloatArray = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    return quantiles


def _inflation(
    residuals: FloatArray, spans: list[slice], weights: FloatArray, narrowest: float
) -> FloatArray:
    """How much wider intervals learned from the earlier origins had to be for the later ones.

    Series whose behaviour changes fool a pooled residual distribution; rehearsing the step from
    past to future inside the history shows by how much (in the spirit of adaptive conformal
    inference, Gibbs & Candes 2021). Shrunk towards one: the rehearsal is short. Residuals of a
    young fit are wider than later ones, so that the 80 % interval may be narrowed to `narrowest`.
    """
    split = int(len(residuals) * 0.6)
    if split < 8:
        return np.ones(len(QUANTILES))
    inner, outer = [], []
    for span in spans:
        early, late = residuals[:split, span], residuals[split:, span]
        late = late[np.isfinite(late)]
        if np.isfinite(early).sum() < 8 or not len(late):
            continue
        offsets = _offsets(early, weights[:split] / weights[split])
        inner.append(_reaches(late, offsets, 1))
        outer.append(_reaches(late, offsets, 0))
    if not inner:
        return np.ones(len(QUANTILES))
    inside, outside = (
        float(np.clip(np.quantile(np.concatenate(reaches), level), least, _MOST) ** trust)
        for reaches, level, trust, least in (
            (inner, 0.8, _INNER_TRUST, narrowest),
            (outer, 0.95, _OUTER_TRUST, 1.0),
        )
    )
    return np.array([outside, inside, 1.0, inside, outside])


def _reaches(late: FloatArray, offsets: FloatArray, end: int) -> FloatArray:
    """Distances from the median, in those of the interval from quantile `end` to its mirror."""
    below, above = offsets[MEDIAN] - offsets[end], offsets[-1 - end] - offsets[MEDIAN]
    reach = np.where(late < offsets[MEDIAN], below, above)
    reaches: FloatArray = np.abs(late - offsets[MEDIAN]) / np.maximum(reach, 1e-9)
    return reaches


def weighted_quantiles(values: FloatArray, weights: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles of a weighted sample at `levels`, interpolated between mid-ranks."""
    order: IntArray = np.argsort(values, kind="stable")
    sorted_weights = weights[order]
    positions = (np.cumsum(sorted_weights) - 0.5 * sorted_weights) / sorted_weights.sum()
    found: FloatArray = np.interp(levels, positions, values[order])
    return found
