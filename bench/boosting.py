"""The challenger of hourly forecasts: gradient boosting per quantile, refitted every four weeks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.distribution import QUANTILES, ordered
from services.forecaster.domain.forecasting.forecast import forecast
from services.forecaster.domain.forecasting.series import FloatArray, History, IntArray
from services.forecaster.domain.judging.metrics import pinball

REFIT_HOURS = 28 * 24
# Nothing younger than this is a feature: one model serves all leads up to here.
LEAD = 48
_WEEKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """One fitted model per quantile."""

    models: list[Any]

    def quantiles(self, features: FloatArray) -> FloatArray:
        """Ascending quantiles, shape (n, 5)."""
        columns = [model.predict(features) for model in self.models]
        return ordered(np.column_stack(columns))


def features(history: History, calendar: Calendar) -> FloatArray:
    """Per hour, shape (n, 8): clock, calendar, and what was known LEAD hours before."""
    hours = np.arange(history.start, history.end)
    local = calendar.local_hours(hours)
    days = local // 24
    feasts = calendar.holidays(np.unique(days))
    values = history.values
    weeks = np.column_stack([lagged(values, 168 * back) for back in range(1, _WEEKS + 1)])
    recent = np.convolve(values, np.full(168, 1 / 168))[: len(values)]
    return np.column_stack(
        [
            local % 24,
            calendar.hour_of_week(hours),
            days % 365.2425,
            np.isin(days, list(feasts)),
            days,
            lagged(values, 168),
            weeks.mean(axis=1),
            lagged(recent, LEAD),
        ]
    ).astype(np.float64)


def lagged(values: FloatArray, steps: int) -> FloatArray:
    """Values moved `steps` later, NaN at the beginning."""
    return np.concatenate([np.full(min(steps, len(values)), np.nan), values[:-steps]])


def fit(inputs: FloatArray, counts: FloatArray, seed: int) -> Boosted:
    """Fit on everything before an origin. inputs: (n, features), counts: (n,)."""
    from sklearn.ensemble import (  # noqa: PLC0415  (four seconds; only this bench pays them)
        HistGradientBoostingRegressor,
    )

    models = [
        HistGradientBoostingRegressor(
            loss="quantile", quantile=level, max_iter=150, learning_rate=0.08, random_state=seed
        ).fit(inputs, counts)
        for level in QUANTILES
    ]
    return Boosted(models)


def refit_points(history: History, refits: int) -> IntArray:
    """Ends of the training data, the last one leaving a whole refit period to be judged."""
    last = history.end - REFIT_HOURS - LEAD
    return np.array([last - REFIT_HOURS * back for back in reversed(range(refits))])


def compared(
    history: History, calendar: Calendar, refits: int, every: int
) -> tuple[float, float, float, float]:
    """Mean pinball of ours and of boosting, and our coverage of 80 % and 95 %."""
    inputs = features(history, calendar)
    ours, theirs, inside, wide = [], [], [], []
    for point in refit_points(history, refits):
        known = int(point) - history.start
        usable = slice(4 * 168 + LEAD, known)
        model = fit(inputs[usable], history.values[usable], seed=1)
        for origin in range(known, known + REFIT_HOURS, every):
            span = slice(origin, origin + LEAD)
            actual = history.values[span]
            quantiles = forecast(history.until(history.start + origin), LEAD, calendar).quantiles
            ours.append(pinball(actual, quantiles).mean())
            theirs.append(pinball(actual, model.quantiles(inputs[span])).mean())
            inside.append(((actual >= quantiles[:, 1]) & (actual <= quantiles[:, 3])).mean())
            wide.append(((actual >= quantiles[:, 0]) & (actual <= quantiles[:, 4])).mean())
    return (
        float(np.mean(ours)),
        float(np.mean(theirs)),
        float(np.mean(inside)),
        float(np.mean(wide)),
    )
