"""Low-volume queues: a discounted rate with a shrunken seasonal shape, negative binomial."""

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar, weekday
from services.forecaster.domain.forecasting.counts import (
    discounted_rate,
    estimated_size,
    negative_binomial_quantiles,
)
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.series import FloatArray, Frequency, History, IntArray

# Tickets a cell of the shape must show before its own ratio counts as much as "no difference".
_SHAPE_PRIOR = 25.0


def forecast_intermittent(
    history: History, horizon: int, calendar: Calendar
) -> ForecastDistribution:
    """Rate x shape with negative binomial quantiles; defined for any history, even none.

    An empty history answers zeros. The uncertainty of a rate known from few steps is added to
    the dispersion (the posterior predictive of a gamma-Poisson model).
    """
    rate, worth = discounted_rate(history.values, _half_life(history.frequency))
    past = np.arange(history.start, history.end)
    future = np.arange(history.end, history.end + horizon)
    shape = _shape(history, _cells(history.frequency, past, calendar), rate)
    mean = rate * shape[_cells(history.frequency, future, calendar)]
    fitted = rate * shape[_cells(history.frequency, past, calendar)]
    own = estimated_size(history.values, fitted)
    learned = max(rate * worth, 0.5)
    size = 1.0 / (1.0 / own + 1.0 / learned)
    quantiles = negative_binomial_quantiles(mean, size) if rate > 0 else np.zeros((horizon, 5))
    return ForecastDistribution(history.frequency, history.end, mean, quantiles, "intermittent")


def _half_life(frequency: Frequency) -> float:
    return 91.0 * (24.0 if frequency is Frequency.HOURLY else 1.0)


def _cells(frequency: Frequency, steps: IntArray, calendar: Calendar) -> IntArray:
    """Weekday of days; hour of day of hours (a week of hours is too fine for few tickets)."""
    if frequency is Frequency.DAILY:
        return weekday(steps)
    return calendar.local_hours(steps) % 24


def _shape(history: History, cells: IntArray, rate: float) -> FloatArray:
    """Relative load per cell, shrunk towards 1 by the tickets seen."""
    size = 24 if history.frequency is Frequency.HOURLY else 7
    known = history.observed
    seen = np.bincount(cells[known], weights=history.values[known], minlength=size)
    steps = np.bincount(cells[known], minlength=size)
    mean = float(seen.sum() / max(1, steps.sum())) or max(rate, 1e-9)
    ratio = (seen + _SHAPE_PRIOR) / (steps * mean + _SHAPE_PRIOR)
    share = np.bincount(cells, minlength=size) / max(1, len(cells))
    return ratio / max(float((ratio * share).sum()), 1e-9) if len(cells) else ratio
