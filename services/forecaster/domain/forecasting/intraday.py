"""The current day's forecast, moved by the hours that have closed."""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.forecasting.counts import negative_binomial_quantiles
from services.forecaster.domain.forecasting.distribution import (
    MEDIAN,
    QUANTILES,
    ForecastDistribution,
)
from services.forecaster.domain.forecasting.series import FloatArray

_NORMAL = 1.281552


@dataclass(frozen=True, slots=True, eq=False)
class DayForecast:
    """The day's total now. seen: tickets so far; mean and quantiles (5,): of the whole day."""

    seen: float
    mean: float
    quantiles: FloatArray


def moved_by_hours(
    morning: ForecastDistribution, day: int, shares: FloatArray, counts: FloatArray
) -> DayForecast:
    """Update the forecast of one day by its closed hours (gamma-Poisson).

    morning: a daily forecast that contains step `day`. shares: expected share of the day per
    local hour, shape (hours of the day,), summing to 1. counts: tickets of the closed hours,
    shape (closed,), NaN = not observed. The rate of the day has a gamma prior with the mean and
    the extra-Poisson variance of the morning's forecast, so a day that runs 30 % high moves the
    rest of the day by less than 30 % early and by nearly that late.
    """
    index = day - morning.start
    if not 0 <= index < morning.horizon:
        raise ValueError("the forecast does not contain this day")
    known = np.isfinite(counts)
    seen = float(counts[known].sum())
    passed = float(shares[: len(counts)][known].sum())
    open_share = max(0.0, 1.0 - float(shares[: len(counts)].sum()))
    mean = float(max(morning.mean[index], 1e-6))
    size = _gamma_size(morning.quantiles[index], mean)
    rate = (size + seen) / (size + passed * mean)
    rest = open_share * mean * rate
    # A posterior gamma of shape size + seen mixes the Poisson count of the open hours.
    spread = _quantiles(rest, size + seen)
    return DayForecast(seen, seen + rest, seen + spread)


def _gamma_size(quantiles: FloatArray, mean: float) -> float:
    """Shape of the gamma prior: mean^2 over the variance beyond Poisson's, within [1, 1e6]."""
    deviation = float(quantiles[MEDIAN + 1] - quantiles[MEDIAN - 1]) / (2.0 * _NORMAL)
    return float(np.clip(mean**2 / max(deviation**2 - mean, 1e-9), 1.0, 1e6))


def _quantiles(mean: float, size: float) -> FloatArray:
    if mean <= 0:
        return np.zeros(len(QUANTILES))
    return negative_binomial_quantiles(np.array([mean]), size).ravel()
