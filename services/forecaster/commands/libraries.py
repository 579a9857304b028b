"""AutoETS and AutoTheta of statsforecast as yardsticks, where that library is installed."""

import importlib.util
from collections.abc import Mapping

import numpy as np

from services.forecaster.domain.forecasting.baselines import filled
from services.forecaster.domain.forecasting.distribution import ForecastDistribution, ordered
from services.forecaster.domain.forecasting.series import Frequency, History
from services.forecaster.domain.judging.backtest import Forecaster

# A year of days or eight weeks of hours: full histories take these searches minutes per series.
_RECENT = {Frequency.DAILY: 730, Frequency.HOURLY: 1344}
_LEVELS = [80, 95]


def library_forecasters(frequency: Frequency) -> dict[str, Forecaster]:
    """Forecasters by name; empty where statsforecast is not installed (`deskstream[bench]`)."""
    if importlib.util.find_spec("statsforecast") is None:
        return {}
    season = 24 if frequency is Frequency.HOURLY else 7
    return {name: _forecaster(name, season) for name in ("AutoETS", "AutoTheta")}


def _forecaster(name: str, season: int) -> Forecaster:
    def forecast_all(pasts: Mapping[str, History], horizon: int) -> dict[str, ForecastDistribution]:
        return {series: _forecast(name, season, past, horizon) for series, past in pasts.items()}

    return forecast_all


def _forecast(name: str, season: int, past: History, horizon: int) -> ForecastDistribution:
    from statsforecast import models  # noqa: PLC0415  (six seconds; only --baselines pays them)

    values = filled(past.values, past.values)[-_RECENT[past.frequency] :]
    model = getattr(models, name)(season_length=season)
    found = model.forecast(y=values, h=horizon, level=_LEVELS)
    columns = [found["lo-95"], found["lo-80"], found["mean"], found["hi-80"], found["hi-95"]]
    quantiles = ordered(np.column_stack(columns))
    mean = np.maximum(np.asarray(found["mean"], dtype=np.float64), 0.0)
    return ForecastDistribution(past.frequency, past.end, mean, quantiles, name)
