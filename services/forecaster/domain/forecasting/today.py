"""The forecast of the day that has begun, moved by its closed hours."""

from dataclasses import replace

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.intraday import moved_by_hours
from services.forecaster.domain.forecasting.series import FloatArray, History

WEEKS = 8
# Tickets that every hour is credited with, so that an hour never busy before is not impossible.
_PRIOR = 0.05


def moved_by_today(
    morning: ForecastDistribution, hours: History, calendar: Calendar
) -> ForecastDistribution:
    """The daily forecast with its first day moved by the hours of that day in `hours`.

    hours: the hourly history up to the last closed hour, which lies in the forecast's first day.
    """
    day = morning.start
    begin = calendar.midnight(day)
    closed = hours.since(begin).values if hours.start <= begin else np.zeros(0)
    shares = day_shares(hours, day, calendar)
    moved = moved_by_hours(morning, day, shares, closed[: len(shares)])
    mean, quantiles = morning.mean.copy(), morning.quantiles.copy()
    mean[0], quantiles[0] = moved.mean, moved.quantiles
    return replace(morning, mean=mean, quantiles=quantiles)


def day_shares(hours: History, day: int, calendar: Calendar) -> FloatArray:
    """Share of a local day's tickets per hour, shape (23 to 25,), by the last like weekdays."""
    begin, end = calendar.midnight(day), calendar.midnight(day + 1)
    counts = np.full(end - begin, _PRIOR)
    for week in range(1, WEEKS + 1):
        first = calendar.midnight(day - 7 * week)
        if first >= hours.start:
            past = np.nan_to_num(hours.since(first).values[: end - begin])
            counts[: len(past)] += past
    return counts / float(counts.sum())
