"""Hourly forecasts: the profile bank's candidates, weighed by their past errors per lead."""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.calendar import Calendar, weekday
from services.forecaster.domain.conformal import HOURLY_BUCKETS, ResidualRings
from services.forecaster.domain.design import calendar_design
from services.forecaster.domain.distribution import ForecastDistribution
from services.forecaster.domain.pooling import lead_weights
from services.forecaster.domain.profile import LEVEL_HALF_LIVES, PROFILE_DECAYS
from services.forecaster.domain.replay import Replay, replay
from services.forecaster.domain.ridge import fit_at_origins
from services.forecaster.domain.series import FloatArray, History, IntArray

_ORIGINS = 72
_STEP = 101  # hours; prime to 24 and to 168, so that origins fall on all hours and weekdays
_LONGEST_LEAD = 336
_RECENCY_HALF_LIFE = 24.0 * 180
_CALENDAR_DAYS = 28


@dataclass(frozen=True, slots=True, eq=False)
class HourlyCalendar:
    """What the calendar says about each hour.

    cells: hour-of-week profile cell (feasts use Sunday's). factors: multiplier of the day as
    estimated from the days before it. Both cover the history and the horizon.
    """

    cells: IntArray
    factors: FloatArray


def hourly_calendar(history: History, horizon: int, calendar: Calendar) -> HourlyCalendar:
    """Cells and multipliers of the daily calendar ridge, refitted every four weeks of the past."""
    hours = np.arange(history.start, history.end + horizon)
    local = calendar.local_hours(hours)
    cells = calendar.hour_of_week(hours)
    days = local // 24
    first, last = int(days[0]), int(days[-1])
    counts = daily_sums(history, days[: len(history.values)])
    every = np.arange(first, last + 1)
    feasts = calendar.holidays(every)
    is_feast = np.array([int(day) in feasts for day in every])
    kinds = np.where(is_feast, 6, weekday(every))
    factors = _day_factors(counts, every, kinds, calendar)
    index = days - first
    cells = np.where(is_feast[index], 6 * 24 + local % 24, cells)
    return HourlyCalendar(cells, factors[index])


def daily_sums(history: History, days: IntArray) -> FloatArray:
    """Sums per local day; NaN where an hour of the day is missing. days: local day per hour."""
    if not len(days):
        return np.zeros(0)
    index = days - days[0]
    sums = np.bincount(index, weights=np.nan_to_num(history.values))
    seen = np.bincount(index, weights=history.observed)
    # 23: the day that daylight saving shortens is whole as well.
    return np.where(seen >= 23, sums, np.nan)


def _day_factors(
    counts: FloatArray, every: IntArray, kinds: IntArray, calendar: Calendar
) -> FloatArray:
    """exp(yearly + feast + event) per day, relative to the profile cells of weekday `kinds`."""
    known = len(counts)
    origins = np.arange(_CALENDAR_DAYS * 2, known, _CALENDAR_DAYS)
    origins = np.append(origins[known - origins > 0], known).astype(np.int64)
    if known < _CALENDAR_DAYS * 2 or np.isfinite(counts).sum() < _CALENDAR_DAYS:
        return np.ones(len(every))
    design = calendar_design(every, int(every[0]) + known, calendar)
    fits = fit_at_origins(design, counts, origins)
    keep = np.ones(design.matrix.shape[1])
    keep[0] = 0.0
    # Effects relative to the weekday whose profile cell is used, estimated before the day.
    profile_days = design.matrix.copy()
    profile_days[:, :] = 0.0
    profile_days[:, design.weekdays] = np.eye(7)[kinds]
    moving = (design.matrix - profile_days) * keep
    epoch = np.minimum(
        np.searchsorted(origins, np.arange(len(every)), side="right") - 1, len(origins) - 1
    )
    effects = np.einsum("dp,dp->d", moving, fits.coefficients[np.maximum(epoch, 0)])
    factors: FloatArray = np.where(epoch >= 0, np.exp(np.clip(effects, -3.0, 3.0)), 1.0)
    return factors


def pseudo_origins(known: int, lead: int) -> IntArray:
    """Hours to look back from, ascending; the last is `known`, the real origin."""
    first = max(3 * 168, min(8 * 168, known // 3))
    past = np.arange(known - min(lead, 24), first, -_STEP)[:_ORIGINS]
    return np.append(past[::-1], known).astype(np.int64)


def candidates(state: Replay, origins: IntArray, lead: int, days: HourlyCalendar) -> FloatArray:
    """Every profile memory at every level memory and at level one, shape (C, K, lead)."""
    memories, levels = len(PROFILE_DECAYS), len(LEVEL_HALF_LIVES) + 1
    values = np.empty((memories, levels, len(origins), lead))
    for k, origin in enumerate(origins):
        ahead = slice(int(origin), int(origin) + lead)
        base = state.exposure_at(origin) * days.factors[ahead]
        shape = state.profile_at(origin)[:, days.cells[ahead]] * base
        level = np.column_stack([state.levels_at(origin), np.ones(memories)])
        values[:, :, k] = level[:, :, None] * shape[:, None, :]
    return values.reshape(memories * levels, len(origins), lead)


def forecast_hourly(history: History, horizon: int, calendar: Calendar) -> ForecastDistribution:
    """The pooled hourly forecast with conformal intervals; needs five weeks of history."""
    known = len(history.values)
    lead = min(horizon, _LONGEST_LEAD)
    days = hourly_calendar(history, max(horizon, lead), calendar)
    state = replay(history.values, days.cells[:known], days.factors[:known])
    origins = pseudo_origins(known, lead)
    values = candidates(state, origins, lead, days)
    actuals = np.append(history.values, np.full(lead, np.nan))[origins[:, None] + np.arange(lead)]
    recency = 0.5 ** ((known - origins[:-1]) / _RECENCY_HALF_LIFE)
    errors = np.abs(values[:, :-1] - actuals[:-1])
    prior = np.full((len(values), lead), 1.0 / len(values))
    weights = lead_weights(errors, prior, HOURLY_BUCKETS, recency)
    pooled = np.einsum("cl,ckl->kl", weights, values)
    rings = ResidualRings.learn(pooled[:-1], actuals[:-1], HOURLY_BUCKETS, recency)
    mean = pooled[-1]
    if horizon > lead:
        far = candidates(state, origins[-1:], horizon, days)[:, 0]
        mean = np.append(mean, (weights[:, -1] @ far)[lead:])
    return ForecastDistribution(
        history.frequency, history.end, mean, rings.quantiles(mean), "profile-pool"
    )
