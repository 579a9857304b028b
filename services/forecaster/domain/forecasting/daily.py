"""Daily forecasts: calendar ridge times a bank of online levels, weighed by past errors."""

from dataclasses import dataclass, replace

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar, weekday, year_angle
from services.forecaster.domain.forecasting.conformal import DAILY_BUCKETS, ResidualRings
from services.forecaster.domain.forecasting.design import calendar_design
from services.forecaster.domain.forecasting.distribution import (
    MEDIAN,
    ForecastDistribution,
    ordered,
    rounded,
)
from services.forecaster.domain.forecasting.leads import lead_grid
from services.forecaster.domain.forecasting.levels import (
    HALF_LIVES,
    Recent,
    level_factors,
    weekday_factors,
)
from services.forecaster.domain.forecasting.pooling import lead_weights
from services.forecaster.domain.forecasting.ridge import RidgeFits, fit_at_origins
from services.forecaster.domain.forecasting.series import FloatArray, History, IntArray

MAX_ORIGINS = 64
_STEP = 11  # not a multiple of seven: pseudo-origins fall on every weekday
_RECENCY_HALF_LIFE = 365.0
_SHORTEST = 28
_CEILING = 10.0  # times the highest day ever seen; beyond it a fit has lost its way
_LEADS = ((14, 1), (84, 3), (300, 8))
_SLOW = 2  # level memories from this one on are tried with drifting weekdays too
_NO_SEASON = 1e-3  # prior scale that leaves a term out
_GROWTH = 0.3  # prior scale of the change of log counts in a year, where it may be strong
_YEARS_SHOWN = 730.0  # days
_NARROWEST = 0.7  # of what residuals say; hours are only widened: odd days are rarely rehearsed
# Inside and at the outer ends: how large an unseen cycle is is unknown too, which makes long tails.
_UNSEEN_AMPLITUDES = np.array([0.3, 0.2, 0.2, 0.2, 0.3])


@dataclass(frozen=True, slots=True, eq=False)
class LevelledCalendar:
    """One calendar fit per origin with its local corrections.

    fitted: counts by the calendar alone, shape (K, days). levels: shape (memories, K). drift:
    factor per weekday, shape (K, 7). first_day: number of day 0.
    """

    origins: IntArray
    fitted: FloatArray
    levels: FloatArray
    drift: FloatArray
    first_day: int

    def forecasts(self, which: slice, leads: IntArray) -> FloatArray:
        """From some of the origins: as it is, at every memory, and with drifting weekdays.

        Shape (candidates, origins, leads).
        """
        days = self.origins[which, None] + leads - 1
        ahead = self.fitted[np.arange(len(self.origins))[which, None], days]
        kinds = weekday(days + self.first_day)
        drifted = ahead * np.take_along_axis(self.drift[which], kinds, axis=1)
        levels = self.levels[:, which, None]
        return np.concatenate([ahead[None], levels * ahead, levels[_SLOW:] * drifted])


def pseudo_origins(known: int) -> IntArray:
    """Day counts to look back from, ascending; the last is `known`, the real origin.

    Sixteen in the past of a short history, every eleventh day of the last two years of a long one.
    """
    first, step = _first(known), _spacing(known)
    past = np.arange(known - step, first - 1, -step)[: MAX_ORIGINS - 1]
    return np.append(past[::-1], known).astype(np.int64)


def _first(known: int) -> int:
    return max(_SHORTEST, min(365, known // 3))


def _spacing(known: int) -> int:
    return _STEP if known >= 365 else max(1, (known - _first(known)) // 16)


def calendars(history: History, horizon: int, calendar: Calendar) -> list[LevelledCalendar]:
    """The calendar ridge, a growing year and a steady level without one, at all origins.

    Growth and season look alike until two years are seen: the fit that has both may explain a
    strong change by either, the one that has neither leaves it to the levels.
    """
    days = np.arange(history.start, history.end + horizon)
    design = calendar_design(days, history.end, calendar)
    scale = np.where(design.slow, _NO_SEASON, design.prior_scale)
    origins = pseudo_origins(len(history.values))
    return [
        _levelled(history, fit_at_origins(each, history.values, origins), each.matrix)
        for each in (replace(design, trend_scale=_GROWTH), replace(design, prior_scale=scale))
    ]


def _levelled(history: History, fits: RidgeFits, matrix: FloatArray) -> LevelledCalendar:
    n = len(history.values)
    highest = _CEILING * (float(np.nanmax(history.values)) + 1.0)
    # numpy has exp and log in vector registers, expm1 and log1p not.
    fitted = np.clip(np.exp(np.minimum(fits.log_fit(matrix), 25.0)) - 1.0, 0.02, highest)
    clipped = _winsorised(history.values, fitted[-1, :n])
    recent = Recent.before(fits.origins, clipped, fitted)
    return LevelledCalendar(
        origins=fits.origins,
        fitted=fitted,
        levels=level_factors(recent, HALF_LIVES),
        drift=weekday_factors(recent, fits.origins, history.start),
        first_day=history.start,
    )


def _winsorised(counts: FloatArray, fitted: FloatArray) -> FloatArray:
    """Counts kept within four robust deviations of the fit, so that one odd day teaches little."""
    scale = np.sqrt(fitted + 0.5)
    residuals = (counts - fitted) / scale
    spread = 1.4826 * float(np.nanmedian(np.abs(residuals))) if len(counts) else 1.0
    limit = 4.0 * max(spread, 1.0) * scale
    clipped: FloatArray = np.clip(counts, fitted - limit, fitted + limit)
    return np.maximum(clipped, 0.0)


def _prior(known: int, count: int, leads: IntArray) -> FloatArray:
    """Equal worth, except that with less than three years the yearly cycle fades after day 84.

    Shape (candidates, leads); the first half of the candidates has the cycle.
    """
    trust = np.clip((known - 200) / 900.0, 0.1, 1.0)
    fade = np.clip((leads - 56) / 56.0, 0.0, 1.0) * (1.0 - trust)
    yearly = 1.0 - 0.8 * fade
    half = count // 2
    prior = np.concatenate([np.tile(yearly, (half, 1)), np.tile(2.0 - yearly, (half, 1))])
    normalised: FloatArray = prior / prior.sum(axis=0)
    return normalised


def forecast_daily(history: History, horizon: int, calendar: Calendar) -> ForecastDistribution:
    """The pooled forecast with conformal intervals; needs at least four weeks of history."""
    n = len(history.values)
    made = calendars(history, horizon, calendar)
    origins, leads = made[0].origins, lead_grid(horizon, _LEADS)
    past = np.concatenate([each.forecasts(slice(0, -1), leads) for each in made])
    rows = origins[:-1, None] + leads - 1
    actuals = np.append(history.values, np.full(horizon, np.nan))[rows]
    recency = 0.5 ** ((n - origins[:-1]) / _RECENCY_HALF_LIFE)
    prior = _prior(n, len(past), leads)
    weights, rehearsed = lead_weights(
        past,
        actuals,
        prior,
        leads,
        DAILY_BUCKETS,
        recency=recency,
        spacing=_spacing(n),
    )
    phases = weekday(rows + history.start)
    rings = ResidualRings.learn(
        rehearsed,
        actuals,
        leads,
        DAILY_BUCKETS,
        weights=recency,
        phases=phases,
        span=n - int(origins[0]),
        narrowest=_NARROWEST,
    )
    ahead = np.arange(1, horizon + 1)
    now = np.concatenate([each.forecasts(slice(-1, None), ahead) for each in made])
    mean = weights.pool(now, ahead)[0]
    quantiles = _unseen_season(mean, rings.quantiles(mean, weekday(history.end + ahead - 1)), n)
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
    wave = doubt * mean * np.sqrt(1.0 - np.cos(year_angle(leads)))
    drift = wave[:, None] * _UNSEEN_AMPLITUDES
    spread = np.maximum((quantiles[:, 3] - quantiles[:, 1]) / 2.56, 1e-9)
    factor = np.sqrt(1.0 + (drift / spread[:, None]) ** 2)
    middle = quantiles[:, [MEDIAN]]
    return ordered(middle + (quantiles - middle) * factor)
