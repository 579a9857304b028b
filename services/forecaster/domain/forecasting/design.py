"""The design matrix of the calendar: what a day is known to be, long before it comes."""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar, weekday, year_angle
from services.forecaster.domain.forecasting.events import event_columns, prior_effects
from services.forecaster.domain.forecasting.series import BoolArray, FloatArray, IntArray

YEARLY_HARMONICS = 4
# Columns whose effect is slow: autocorrelated noise looks like them, so they are shrunk harder.
_SLOW_SCALE_YEARLY = 0.25
_SHARED_FEAST_SCALES = (0.2, 0.06, 0.06, 0.2)  # feast, eve, day after, turn of the year
_OWN_FEAST_SCALE = 0.25
_STEADY = 0.07


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Columns of the log-linear calendar model.

    matrix: shape (days, columns), without the trend. prior_scale: standard deviation expected
    of each coefficient on log counts (inf: unpenalised). prior_mean: shape (columns,).
    slow: columns of the yearly cycle. weekdays, feasts: columns of those effects. trend_scale:
    standard deviation expected of the change of log counts in a year.
    """

    matrix: FloatArray
    prior_scale: FloatArray
    prior_mean: FloatArray
    slow: BoolArray
    weekdays: BoolArray
    feasts: BoolArray
    trend_scale: float = _STEADY


def calendar_design(days: IntArray, observed_until: int, calendar: Calendar) -> Design:
    """Design of consecutive `days`; holidays get a column of their own once seen in the past.

    observed_until: first day number that is not history; a feast that history never showed is
    described by the effect shared by all feasts alone.
    """
    blocks = [
        (np.ones((len(days), 1)), np.array([np.inf]), "level"),
        (weekday_columns(days), np.full(7, 0.5), "weekday"),
        (yearly_columns(days), _yearly_scales(), "yearly"),
    ]
    feasts = holiday_columns(days, observed_until, calendar)
    blocks.append((feasts, _feast_scales(feasts.shape[1]), "holiday"))
    events = event_columns(days, calendar.events)
    blocks.append((events, np.full(events.shape[1], 0.5), "event"))
    kinds = np.concatenate([np.full(block.shape[1], kind) for block, _, kind in blocks])
    prior_mean = np.zeros(len(kinds))
    prior_mean[kinds == "event"] = prior_effects(calendar.events)
    return Design(
        matrix=np.hstack([block for block, _, _ in blocks]),
        prior_scale=np.concatenate([scale for _, scale, _ in blocks]),
        prior_mean=prior_mean,
        slow=kinds == "yearly",
        weekdays=kinds == "weekday",
        feasts=kinds == "holiday",
    )


def weekday_columns(days: IntArray) -> FloatArray:
    """All seven indicators; the ridge penalty makes them identifiable beside the level."""
    return np.eye(7)[weekday(days)]


def yearly_columns(days: IntArray) -> FloatArray:
    """Fourier terms of the year, shape (days, 2 x YEARLY_HARMONICS)."""
    angles = np.outer(year_angle(days), np.arange(1, YEARLY_HARMONICS + 1))
    return np.hstack([np.sin(angles), np.cos(angles)])


def _yearly_scales() -> FloatArray:
    return np.tile(_SLOW_SCALE_YEARLY / np.arange(1, YEARLY_HARMONICS + 1), 2)


def _feast_scales(columns: int) -> FloatArray:
    """Feasts differ: what one eve or morning after showed says little about the next one's."""
    return np.concatenate([_SHARED_FEAST_SCALES, np.full(columns, _OWN_FEAST_SCALE)])[:columns]


def holiday_columns(days: IntArray, observed_until: int, calendar: Calendar) -> FloatArray:
    """Any feast, its eve, the day after, the days around the turn of the year, and one per feast.

    Empty where the calendar has no country.
    """
    found = calendar.holidays(days)
    if not found:
        return np.zeros((len(days), 0))
    feast = np.isin(days, list(found)).astype(np.float64)
    eve = np.append(feast[1:], 0.0) * (1.0 - feast)
    after = np.append(0.0, feast[:-1]) * (1.0 - feast)
    columns = [feast, eve, after, _turn_of_year(days) * (1.0 - feast)]
    names = sorted({name for day, name in found.items() if days[0] <= day < observed_until})
    index = {name: position for position, name in enumerate(names)}
    own = np.zeros((len(days), len(names)))
    for row in np.flatnonzero(feast):
        position = index.get(found[int(days[row])])
        if position is not None:
            own[row, position] = 1.0
    return np.hstack([np.column_stack(columns), own])


def _turn_of_year(days: IntArray) -> FloatArray:
    """24 December to 2 January: working life pauses even where no day of it is a feast."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    of_month = (dates - months).astype(np.int64) + 1
    of_year = months.astype(np.int64) % 12 + 1
    turn = ((of_year == 12) & (of_month >= 24)) | ((of_year == 1) & (of_month <= 2))
    marked: FloatArray = turn.astype(np.float64)
    return marked
