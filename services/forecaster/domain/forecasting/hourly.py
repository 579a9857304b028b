"""Hourly forecasts: the profile bank's candidates, weighed by their past errors per lead."""

from dataclasses import dataclass, replace

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar, weekday
from services.forecaster.domain.forecasting.conformal import HOURLY_BUCKETS, ResidualRings
from services.forecaster.domain.forecasting.design import calendar_design
from services.forecaster.domain.forecasting.distribution import (
    ForecastDistribution,
    ordered,
    rounded,
)
from services.forecaster.domain.forecasting.feasts import hour_table, sunday_like
from services.forecaster.domain.forecasting.leads import lead_grid
from services.forecaster.domain.forecasting.pooling import lead_weights
from services.forecaster.domain.forecasting.profile import LEVEL_HALF_LIVES, PROFILE_DECAYS
from services.forecaster.domain.forecasting.replay import Replay, replay
from services.forecaster.domain.forecasting.ridge import fit_at_origins
from services.forecaster.domain.forecasting.series import FloatArray, History, IntArray

_ORIGINS = 84
_STEP = 89  # hours; prime to 24 and to 168, so that origins fall on all hours and weekdays
_LONGEST_LEAD = 336
_LEADS = ((12, 1), (96, 5), (336, 11))
_RECENCY_HALF_LIFE = 24.0 * 180
_REFIT_DAYS = 28
_SEASON_LIMIT = 1.0  # on logs: a year that nearly triples is noise of a short history
# The hours of an odd day are odd together: rare among residuals, they fill the day they come on.
# Chosen so that bikes and taxis at the turn of the year gain and made-up arrivals stay in range.
_ODD_DAYS = 1.03
_CEILING = 10.0  # times the highest hour ever seen; beyond it a short history misleads
_REPLAYED = 104 * 168  # hours; the longest profile memory has a half-life of 23 weeks


@dataclass(frozen=True, slots=True, eq=False)
class HourlyCalendar:
    """What the calendar says about each hour of the history and the horizon.

    cells: hour-of-week profile cell (some feasts use Sunday's). factors: multiplier of feasts and
    events as estimated from the days before each. season: log effect of the yearly cycle per
    day and refit, shape (days, E). day: index of each hour's local day. refit: shape (days,),
    the refit that was known on each day.
    """

    cells: IntArray
    factors: FloatArray
    season: FloatArray
    day: IntArray
    refit: IntArray

    def since(self, hour: int) -> "HourlyCalendar":
        """The same from a later first hour on."""
        return replace(
            self, cells=self.cells[hour:], factors=self.factors[hour:], day=self.day[hour:]
        )

    def season_ahead(self, origin: int, ahead: IntArray) -> FloatArray:
        """Multiplier of the yearly cycle's change since the origin: levels know what was before."""
        today = self.day[origin - 1]
        season = self.season[:, self.refit[today]]
        change = np.clip(season[self.day[ahead]] - season[today], -_SEASON_LIMIT, _SEASON_LIMIT)
        return np.asarray(np.exp(change), dtype=np.float64)


def hourly_calendar(history: History, horizon: int, calendar: Calendar) -> HourlyCalendar:
    """Cells and multipliers of the daily calendar ridge, refitted every four weeks of the past."""
    hours = np.arange(history.start, history.end + horizon)
    local = calendar.local_hours(hours)
    day = local // 24 - local[0] // 24
    every = np.arange(int(local[0]) // 24, int(local[-1]) // 24 + 1)
    feasts = calendar.holidays(every)
    known = len(history.values)
    table = hour_table(history.values, local[:known])
    counts = daily_sums(table)
    like_sunday = sunday_like(table, every, feasts)
    cells = np.where(like_sunday[day], 6 * 24 + local % 24, calendar.hour_of_week(hours))
    kinds = np.where(like_sunday, 6, weekday(every))
    factors, season, refit = _effects(counts, every, kinds, calendar)
    return HourlyCalendar(cells, factors[day], season, day, refit)


def daily_sums(table: FloatArray) -> FloatArray:
    """Sums per local day of an hour table; NaN where more than one hour is missing.

    One may be: the day that daylight saving shortens is whole as well.
    """
    whole = np.isfinite(table).sum(axis=1) >= 23
    return np.where(whole, np.nansum(table, axis=1), np.nan)


def _effects(
    counts: FloatArray, every: IntArray, kinds: IntArray, calendar: Calendar
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Feast and event multiplier per day against the profile of weekday `kinds`, yearly, refits."""
    known = len(counts)
    origins = np.arange(2 * _REFIT_DAYS, known - 1, _REFIT_DAYS)
    origins = np.append(origins, known).astype(np.int64)
    if known < 2 * _REFIT_DAYS or np.isfinite(counts).sum() < _REFIT_DAYS:
        return np.ones(len(every)), np.zeros((len(every), 1)), np.zeros(len(every), np.int64)
    design = calendar_design(every, int(every[0]) + known, calendar)
    fits = fit_at_origins(design, counts, origins)
    effects = fits.coefficients
    refit = np.searchsorted(origins, np.arange(len(every)), side="right") - 1
    moving = design.matrix.copy()
    moving[:, 0] = 0.0
    moving[:, design.slow] = 0.0
    moving[:, design.weekdays] -= np.eye(7)[kinds]
    logs = np.einsum("dp,dp->d", moving, effects[np.maximum(refit, 0)])
    factors = np.where(refit >= 0, np.exp(np.clip(logs, -3.0, 3.0)), 1.0)
    season = design.matrix[:, design.slow] @ effects[:, design.slow].T
    return factors, season, np.maximum(refit, 0)


def pseudo_origins(known: int, lead: int) -> IntArray:
    """Hours to look back from, ascending."""
    first = max(3 * 168, min(8 * 168, known // 3))
    past = np.arange(known - min(lead, 24), first, -_STEP)[:_ORIGINS]
    return past[::-1].astype(np.int64)


def candidates(
    state: Replay, origins: IntArray, leads: IntArray, days: HourlyCalendar
) -> FloatArray:
    """Every profile memory at every level memory and at level one, shape (C, K, leads)."""
    memories, levels = len(PROFILE_DECAYS), len(LEVEL_HALF_LIVES) + 1
    shapes = np.empty((memories, len(origins), len(leads)))
    for k, origin in enumerate(origins):
        ahead = int(origin) + leads - 1
        base = state.exposure_at(origin) * days.factors[ahead] * days.season_ahead(origin, ahead)
        shapes[:, k] = state.profile_at(origin)[:, days.cells[ahead]] * base
    found = np.ones((memories, levels, len(origins), 1))
    found[:, :-1, :, 0] = state.levels_at(origins).transpose(1, 2, 0)
    return (found * shapes[:, None]).reshape(memories * levels, len(origins), len(leads))


def forecast_hourly(history: History, horizon: int, calendar: Calendar) -> ForecastDistribution:
    """The pooled hourly forecast with conformal intervals; needs five weeks of history."""
    leads = lead_grid(min(horizon, _LONGEST_LEAD), _LEADS)
    days = hourly_calendar(history, horizon, calendar)
    days = days.since(max(0, len(history.values) - _REPLAYED))
    history = history.since(history.end - _REPLAYED)
    known = len(history.values)
    state = replay(history.values, days.cells[:known], days.factors[:known])
    origins = pseudo_origins(known, int(leads[-1]))
    highest = _CEILING * (float(np.nanmax(history.values)) + 1.0)
    past = np.minimum(candidates(state, origins, leads, days), highest)
    rows = origins[:, None] + leads - 1
    actuals = np.append(history.values, np.full(int(leads[-1]), np.nan))[rows]
    recency = 0.5 ** ((known - origins) / _RECENCY_HALF_LIFE)
    prior = np.full((len(past), len(leads)), 1.0 / len(past))
    weights, rehearsed = lead_weights(
        past, actuals, prior, leads, HOURLY_BUCKETS, recency=recency, spacing=_STEP
    )
    hours = days.cells % 24
    rings = ResidualRings.learn(
        rehearsed,
        actuals,
        leads,
        HOURLY_BUCKETS,
        weights=recency,
        phases=hours[rows],
        span=known - int(origins[0]),
    )
    ahead = np.arange(1, horizon + 1)
    now = np.minimum(candidates(state, np.array([known]), ahead, days), highest)
    mean = weights.pool(now, ahead)[0]
    quantiles = rings.quantiles(mean, hours[known + ahead - 1])
    quantiles = rounded(ordered(mean[:, None] + _ODD_DAYS * (quantiles - mean[:, None])))
    return ForecastDistribution(history.frequency, history.end, mean, quantiles, "profile-pool")
