"""Yardsticks: methods so simple that a forecast must beat them to be worth serving."""

import numpy as np

from services.forecaster.domain.forecasting.distribution import (
    QUANTILES,
    ForecastDistribution,
    ordered,
)
from services.forecaster.domain.forecasting.series import FloatArray, History


def seasonal_naive(history: History, horizon: int) -> ForecastDistribution:
    """Last week repeated; quantiles from the differences between days as many weeks apart.

    Needs one week of history at least. Gaps of the last week are filled with the mean.
    """
    season = history.frequency.season
    values = history.values
    last = filled(values[-season:], values)
    mean = np.resize(last, horizon)
    quantiles = np.empty((horizon, len(QUANTILES)))
    for low in range(0, horizon, season):
        gap = min(low + season, max(len(values) - season, 1))
        differences = values[gap:] - values[:-gap]
        differences = differences[np.isfinite(differences)]
        spread = np.quantile(differences, QUANTILES) if len(differences) else np.zeros(5)
        quantiles[low : low + season] = mean[low : low + season, None] + spread
    return ForecastDistribution(
        history.frequency, history.end, mean, ordered(quantiles), "seasonal-naive"
    )


def weekly_mean(history: History, horizon: int, weeks: int = 8) -> ForecastDistribution:
    """Mean of the same hour or day of the last weeks, spread from those weeks' deviations."""
    season = history.frequency.season
    values = history.values[-weeks * season :]
    values = values[len(values) % season :].reshape(-1, season)
    known = np.isfinite(values)
    counted = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    overall = float(sums.sum() / max(1, counted.sum()))
    profile = (sums + overall) / (counted + 1)
    deviations = ((values - profile) / np.sqrt(profile + 0.5))[known]
    spread = np.quantile(deviations, QUANTILES) if len(deviations) else np.zeros(5)
    mean = np.resize(profile, horizon)
    quantiles = mean[:, None] + spread * np.sqrt(mean + 0.5)[:, None]
    return ForecastDistribution(
        history.frequency, history.end, mean, ordered(quantiles), "weekly-mean"
    )


def filled(part: FloatArray, whole: FloatArray) -> FloatArray:
    """`part` with its gaps replaced by the mean of `whole` (0 where nothing was ever seen)."""
    known = whole[np.isfinite(whole)]
    substitute = float(known.mean()) if len(known) else 0.0
    result: FloatArray = np.where(np.isfinite(part), part, substitute)
    return result
