"""Daily forecasts: calendar ridge times a bank of online levels, weighed by past errors."""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.calendar import Calendar, weekday, year_angle
from services.forecaster.domain.conformal import DAILY_BUCKETS, ResidualRings, rounded
from services.forecaster.domain.design import calendar_design
from services.forecaster.domain.distribution import MEDIAN, ForecastDistribution, ordered
from services.forecaster.domain.levels import HALF_LIVES, level_factors, weekday_factors
from services.forecaster.domain.pooling import lead_weights
from services.forecaster.domain.ridge import RidgeFits, fit_at_origins
from services.forecaster.domain.series import FloatArray, History, IntArray

MAX_ORIGINS = 64
_STEP = 11  # not a multiple of seven: pseudo-origins fall on every weekday
_RECENCY_HALF_LIFE = 365.0
_SHORTEST = 28
_YEARS_SHOWN = 730.0  # days
_UNSEEN_AMPLITUDE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class CandidateForecasts:
    """Forecasts of every candidate from every origin; the last origin is the end of the data.

    values: shape (candidates, K, horizon). actuals: shape (K, horizon), NaN where unknown.
    prior: shape (candidates, horizon).
    """

    origins: IntArray
    values: FloatArray
    actuals: FloatArray
    prior: FloatArray


def pseudo_origins(known: int) -> IntArray:
    """Day counts to look back from, ascending; the last is `known`, the real origin.

    Sixteen in the past of a short history, every eleventh day of the last two years of a long one.
    """
    first = max(_SHORTEST, min(365, known // 3))
    step = _STEP if known >= 365 else max(1, (known - first) // 16)
    past = np.arange(known - step, first - 1, -step)[: MAX_ORIGINS - 1]
    return np.append(past[::-1], known).astype(np.int64)


def candidates(history: History, horizon: int, calendar: Calendar) -> CandidateForecasts:
    """Calendar ridge with and without the yearly cycle, each at several level memories."""
    counts = history.values
    n = len(counts)
    origins = pseudo_origins(n)
    days = np.arange(history.start, history.end + horizon)
    design = calendar_design(days, history.end, calendar)
    fits = fit_at_origins(design, counts, origins)
    yearly = design.slow
    flat = design.prior_scale.copy()
    flat[yearly] = 1e-3
    flat_design = type(design)(design.matrix, flat, design.prior_mean, design.slow, design.weekdays)
    flat_fits = fit_at_origins(flat_design, counts, origins)
    values = np.concatenate(
        [
            _levelled(history, fits, design.matrix, horizon),
            _levelled(history, flat_fits, design.matrix, horizon),
        ]
    )
    rows = origins[:, None] + np.arange(horizon)
    actuals = np.append(counts, np.full(horizon, np.nan))[rows]
    return CandidateForecasts(origins, values, actuals, _prior(n, len(values), horizon))


def _levelled(history: History, fits: RidgeFits, matrix: FloatArray, horizon: int) -> FloatArray:
    """One calendar at every memory, with and without drifting weekdays, and as it is."""
    n = len(history.values)
    fitted = np.maximum(np.expm1(np.minimum(fits.log_fit(matrix), 25.0)), 0.02)
    clipped = _winsorised(history.values, fitted[:n, -1])
    levels = level_factors(clipped, fitted[:n], fits.origins, HALF_LIVES)
    rows = fits.origins[:, None] + np.arange(horizon)
    future = fitted[rows, np.arange(len(fits.origins))[:, None]]
    drift = weekday_factors(clipped, fitted[:n], fits.origins, history.start)
    drifted = future * np.take_along_axis(drift, weekday(rows + history.start), axis=1)
    bare = future[None]
    return np.concatenate([bare, levels[:, :, None] * future, levels[2:, :, None] * drifted])


def _winsorised(counts: FloatArray, fitted: FloatArray) -> FloatArray:
    """Counts kept within four robust deviations of the fit, so that one odd day teaches little."""
    scale = np.sqrt(fitted + 0.5)
    residuals = (counts - fitted) / scale
    spread = 1.4826 * float(np.nanmedian(np.abs(residuals))) if len(counts) else 1.0
    limit = 4.0 * max(spread, 1.0) * scale
    clipped: FloatArray = np.clip(counts, fitted - limit, fitted + limit)
    return np.maximum(clipped, 0.0)


def _prior(known: int, count: int, horizon: int) -> FloatArray:
    """Equal worth, except that with less than three years the yearly cycle fades after day 84."""
    half = count // 2
    leads = np.arange(1, horizon + 1)
    trust = np.clip((known - 200) / 900.0, 0.1, 1.0)
    fade = np.clip((leads - 56) / 56.0, 0.0, 1.0) * (1.0 - trust)
    yearly = 1.0 - 0.8 * fade
    prior = np.concatenate([np.tile(yearly, (half, 1)), np.tile(2.0 - yearly, (half, 1))])
    normalised: FloatArray = prior / prior.sum(axis=0)
    return normalised


def forecast_daily(history: History, horizon: int, calendar: Calendar) -> ForecastDistribution:
    """The pooled forecast with conformal intervals; needs at least four weeks of history."""
    made = candidates(history, horizon, calendar)
    errors = np.abs(made.values[:, :-1] - made.actuals[:-1])
    age = made.origins[-1] - made.origins[:-1]
    recency = 0.5 ** (age / _RECENCY_HALF_LIFE)
    weights = lead_weights(errors, made.prior, DAILY_BUCKETS, recency)
    pooled = np.einsum("cl,ckl->kl", weights, made.values)
    rings = ResidualRings.learn(pooled[:-1], made.actuals[:-1], DAILY_BUCKETS, recency)
    mean = pooled[-1]
    quantiles = _unseen_season(mean, rings.quantiles(mean), len(history.values))
    return ForecastDistribution(
        history.frequency, history.end, mean, rounded(quantiles), "calendar-pool"
    )


def _unseen_season(mean: FloatArray, quantiles: FloatArray, known: int) -> FloatArray:
    """Widen where less than two years cannot have shown how a year goes.

    A cycle of relative amplitude a departs from today by a sqrt(1 - cos(2 pi lead / year)) in
    root mean square over unknown phases; that is added to the variance the residuals showed.
    """
    doubt = float(np.clip((_YEARS_SHOWN - known) / _YEARS_SHOWN, 0.0, 1.0))
    leads = np.arange(1, len(mean) + 1)
    drift = _UNSEEN_AMPLITUDE * doubt * mean * np.sqrt(1.0 - np.cos(year_angle(leads)))
    spread = np.maximum((quantiles[:, 3] - quantiles[:, 1]) / 2.56, 1e-9)
    factor = np.sqrt(1.0 + (drift / spread) ** 2)[:, None]
    middle = quantiles[:, [MEDIAN]]
    return ordered(middle + (quantiles - middle) * factor)
