"""Steps of a forecast in the intervals that were asked for."""

import numpy as np

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.schedule import Schedule
from services.forecaster.domain.forecasting.series import FloatArray, day_of, hour_of
from services.forecaster.domain.staffing.drain import sampled_arrivals
from shared.forecasting import QUANTILES, Forecast
from shared.granularity import Granularity, resample

# Sums of days have no closed-form quantiles; as many joint draws of the days give them.
SAMPLES = 1000


def answer_of(
    granularity: Granularity,
    queue_id: int,
    plan: Schedule,
    part: ForecastDistribution,
) -> Forecast:
    """The steps of a forecast summed to a granularity, with quantiles of the sums."""
    if granularity is Granularity.HOURLY:
        stamps = [f"{hour_of(plan.first + i):%Y-%m-%dT%H:00:00Z}" for i in range(part.horizon)]
        mean, quantiles = part.mean, part.quantiles
        until = day_of((plan.origin - 1) // 24)
    else:
        mean, quantiles, stamps = _summed(part, plan.first, granularity)
        until = day_of(plan.origin - 1)
    return Forecast(
        queue_id=queue_id,
        granularity=granularity,
        timestamps=stamps,
        values=np.round(mean, 3).tolist(),
        quantiles=np.round(quantiles, 3).tolist(),
        method=part.method,
        trained_until=until,
    )


def _summed(
    daily: ForecastDistribution, first: int, granularity: Granularity
) -> tuple[FloatArray, FloatArray, list[str]]:
    mean, starts = resample(daily.mean, day_of(first), granularity)
    stamps: list[str] = np.datetime_as_string(starts.astype("M8[D]")).tolist()
    if granularity is Granularity.DAILY:
        return mean, daily.quantiles, stamps
    draws = sampled_arrivals(daily.quantiles, SAMPLES, seed=0)
    sums, _ = resample(draws.T, day_of(first), granularity)
    return mean, np.quantile(sums, QUANTILES, axis=1).T, stamps
