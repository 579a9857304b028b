"""The one entry point of forecasting: what serves is what the backtest judges."""

from collections.abc import Callable, Mapping

import numpy as np

from services.forecaster.domain.forecasting.baselines import seasonal_naive, weekly_mean
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.counts import LOW_VOLUME
from services.forecaster.domain.forecasting.daily import forecast_daily
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.hourly import forecast_hourly
from services.forecaster.domain.forecasting.intermittent import forecast_intermittent
from services.forecaster.domain.forecasting.series import Frequency, History

MAX_DAYS = 300
# Less history than this shows no season: the rate alone is forecast.
MIN_WEEKS = 5
AUTO = "auto"


class HorizonError(ValueError):
    """A horizon outside 1..300 days."""


class MethodError(ValueError):
    """A method nobody knows."""


def pool(history: History, horizon: int, calendar: Calendar) -> ForecastDistribution:
    """The calendar model and the online levels, weighed by their past errors."""
    if history.frequency is Frequency.HOURLY:
        return forecast_hourly(history, horizon, calendar)
    return forecast_daily(history, horizon, calendar)


METHODS: Mapping[str, Callable[[History, int, Calendar], ForecastDistribution]] = {
    "pool": pool,
    "intermittent": forecast_intermittent,
    "weekly-mean": lambda history, horizon, _: weekly_mean(history, horizon),
    "seasonal-naive": lambda history, horizon, _: seasonal_naive(history, horizon),
}


def forecast(
    history: History, horizon: int, calendar: Calendar | None = None, method: str = AUTO
) -> ForecastDistribution:
    """Forecast the `horizon` steps after a history from that history alone.

    horizon: 1..300 days, in steps of the history's frequency. method: a key of METHODS, or
    "auto": counts of less than 1.5 a day and histories under five weeks get a count
    distribution, all others the pool. Raises HorizonError and MethodError.
    """
    check_horizon(horizon, history.frequency)
    if method != AUTO and method not in METHODS:
        raise MethodError(f"unknown method {method!r}; choose {', '.join([AUTO, *METHODS])}")
    trimmed = trim(history)
    chosen = default_method(trimmed) if method == AUTO else method
    if not _enough(trimmed, 2):
        chosen = "intermittent"
    return METHODS[chosen](trimmed, horizon, calendar or Calendar())


def check_horizon(horizon: int, frequency: Frequency) -> None:
    """Raise HorizonError outside 1..300 days."""
    longest = MAX_DAYS * (24 if frequency is Frequency.HOURLY else 1)
    if not 1 <= horizon <= longest:
        raise HorizonError(f"horizon must be 1 to {longest} steps ({MAX_DAYS} days), not {horizon}")


def trim(history: History) -> History:
    """The history without gaps at its beginning: a queue exists from its first observation."""
    seen = np.flatnonzero(history.observed)
    return history.since(history.start + int(seen[0])) if len(seen) else history.until(0)


def default_method(history: History) -> str:
    """The method "auto" stands for, by volume of the last quarter and length."""
    if not _enough(history, MIN_WEEKS):
        return "intermittent"
    per_day = 24 if history.frequency is Frequency.HOURLY else 1
    recent = history.values[-91 * per_day :]
    recent = recent[np.isfinite(recent)]
    volume = float(recent.mean()) * per_day if len(recent) else 0.0
    return "pool" if volume >= LOW_VOLUME else "intermittent"


def _enough(history: History, weeks: int) -> bool:
    return int(history.observed.sum()) >= weeks * history.frequency.season
