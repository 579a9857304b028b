"""Steps of a forecast in the intervals that were asked for, as JSON."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.schedule import Schedule
from services.forecaster.domain.forecasting.series import FloatArray, day_of
from services.forecaster.domain.staffing.drain import sampled_arrivals
from shared.forecasting import QUANTILES, Champion, ForecastOrder
from shared.granularity import Granularity, resample

# Sums of days have no closed-form quantiles; as many joint draws of the days give them.
SAMPLES = 1000


def answer_of(
    order: ForecastOrder,
    queue_id: int,
    plan: Schedule,
    part: ForecastDistribution,
    champion: Champion | None,
) -> bytes:
    """A `shared.forecast_result` of steps summed to a granularity, with quantiles of the sums.

    Straight from the arrays: models of 300 intervals would cost ten times as much.
    """
    granularity = order.granularity
    if granularity is Granularity.HOURLY:
        hours = np.datetime64(plan.first, "h") + np.arange(part.horizon)
        stamps: Sequence[str] = [f"{hour}:00:00Z" for hour in np.datetime_as_string(hours).tolist()]
        mean, quantiles = part.mean, part.quantiles
        until = day_of((plan.origin - 1) // 24)
    else:
        mean, quantiles, stamps = _summed(part, plan.first, granularity, order.intervals)
        until = day_of(plan.origin - 1)
    answer = {
        "queue_id": queue_id,
        "values": np.round(mean, 3).tolist(),
        "timestamps": stamps,
        "granularity": granularity,
        "confidence_intervals": _intervals(stamps, quantiles) if order.intervals else None,
        "model": part.method,
        "trained_until": until,
    }
    if order.champion:
        answer["champion"] = champion and champion.model_dump(mode="json")
    return orjson.dumps(answer)


def _intervals(stamps: Sequence[str], quantiles: FloatArray) -> list[dict[str, Any]]:
    rows = np.round(quantiles, 3).tolist()
    return [
        {
            "timestamp": stamp,
            "lower_95": lower_95,
            "lower_80": lower_80,
            "median": median,
            "upper_80": upper_80,
            "upper_95": upper_95,
        }
        for stamp, (lower_95, lower_80, median, upper_80, upper_95) in zip(
            stamps, rows, strict=True
        )
    ]


# Most forecasts begin today.
@lru_cache(maxsize=16)
def _dates(first: int, days: int) -> tuple[str, ...]:
    return tuple(np.datetime_as_string(np.datetime64(first, "D") + np.arange(days)).tolist())


def _summed(
    daily: ForecastDistribution, first: int, granularity: Granularity, intervals: bool
) -> tuple[FloatArray, FloatArray, Sequence[str]]:
    if granularity is Granularity.DAILY:
        return daily.mean, daily.quantiles, _dates(first, daily.horizon)
    mean, starts = resample(daily.mean, day_of(first), granularity)
    stamps: list[str] = np.datetime_as_string(starts.astype("M8[D]")).tolist()
    if not intervals:
        return mean, daily.quantiles, stamps
    draws = sampled_arrivals(daily.quantiles, SAMPLES, seed=0)
    sums, _ = resample(draws.T, day_of(first), granularity)
    return mean, np.quantile(sums, QUANTILES, axis=1).T, stamps
