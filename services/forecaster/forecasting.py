"""Forecasts on demand: of live queues and of uploaded datasets, by the code the backtest judges."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from services.forecaster.adapters.datasets import DatasetLoad, Datasets
from services.forecaster.adapters.live_load import LiveLoad, LoadSource, Target
from services.forecaster.adapters.model_shelf import ModelShelf
from services.forecaster.adapters.store import Store
from services.forecaster.calendars import Calendars
from services.forecaster.domain.calendar import Calendar
from services.forecaster.domain.distribution import ForecastDistribution, recentred
from services.forecaster.domain.drain import sampled_arrivals
from services.forecaster.domain.forecast import forecast
from services.forecaster.domain.schedule import Schedule, schedule
from services.forecaster.domain.series import FloatArray, Frequency, History, day_of, hour_of
from services.forecaster.memo import Memo
from shared.errors import BadRequest
from shared.forecasting import (
    MAX_HORIZON_DAYS,
    QUANTILES,
    Forecast,
    ForecastOrder,
    Method,
    SeriesName,
)
from shared.granularity import Granularity, resample

Result = TypeVar("Result")
# Sums of days have no closed-form quantiles; as many joint draws of the days give them.
SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about: a series, where its load is, and the calendar it lives by."""

    source: LoadSource
    target: Target
    calendar: Calendar

    async def history(self, frequency: Frequency) -> History:
        """All of the series up to the last closed step."""
        parts = self.target.parts
        return await self.source.history(self.target, parts, frequency, self.calendar)


class Forecasting:
    """Answers orders. Made once per (series, last closed step, arguments), then remembered."""

    def __init__(
        self, store: Store, live: LiveLoad, datasets: Datasets, calendars: Calendars
    ) -> None:
        self._store = store
        self._live = live
        self._datasets = datasets
        self._calendars = calendars
        self._memo = Memo()
        self.shelf = ModelShelf(store)

    async def subject(self, series: SeriesName) -> Subject:
        """Raises NotFound for a queue or dataset nobody knows."""
        source: LoadSource = self._live
        if series.dataset_id is not None:
            source = DatasetLoad(self._store, await self._datasets.find(series.dataset_id))
        target = await source.resolve(series)
        path = "" if series.dataset_id is not None else target.path
        return Subject(source, target, self._calendars.of(path))

    async def forecast(self, order: ForecastOrder) -> Forecast:
        """Raises BadRequest where the dates leave nothing to learn from, NotFound."""
        subject = await self.subject(order.series)
        hourly = order.granularity is Granularity.HOURLY
        frequency = Frequency.HOURLY if hourly else Frequency.DAILY
        plan = schedule(
            frequency,
            await subject.source.closed(frequency, subject.calendar),
            subject.calendar,
            horizon=order.horizon,
            start=order.start,
            train_start=order.train_start,
            train_end=order.train_end,
        )
        method = order.method
        if method is Method.AUTO:
            method = await self.shelf.choice(order.series, subject.target)
        made = await self.distribution(subject, plan, method)
        wanted = slice(plan.gap, plan.gap + plan.steps)
        return _answer(order.granularity, subject.target.queue_id, plan, made, wanted)

    async def distribution(
        self, subject: Subject, plan: Schedule, method: Method
    ) -> ForecastDistribution:
        """The forecast from the plan's origin on, over its gap and its steps or longer.

        A queue with others below it is the sum of what is below, with its own spread around it.
        """
        parts = subject.target.parts
        if len(parts) < 2:
            return await self._one(subject, plan, method, parts)
        each = [self._one(subject, plan, method, (part,)) for part in parts]
        whole, *shares = await asyncio.gather(self._one(subject, plan, method, parts), *each)
        mean: FloatArray = np.sum([share.mean for share in shares], axis=0)
        return recentred(whole, mean)

    async def off_loop(self, work: Callable[[], Result]) -> Result:
        """Run long work beside the event loop."""
        return await self._memo.run(work)

    async def _one(
        self, subject: Subject, plan: Schedule, method: Method, parts: tuple[str, ...]
    ) -> ForecastDistribution:
        # A forecast of fewer days is the beginning of one of all: one fit serves every horizon.
        daily = plan.frequency is Frequency.DAILY
        lead = MAX_HORIZON_DAYS if daily else plan.gap + plan.steps
        target = subject.target
        series = (target.dataset_id, target.version, target.dimension, parts, subject.calendar)
        key = (series, method, plan.frequency, plan.since, plan.origin, lead)
        if (known := self._memo.known(key)) is not None:
            return known
        history = await subject.source.history(target, parts, plan.frequency, subject.calendar)
        past = plan.past(history)
        if parts == target.parts:
            _require_something(history, past, plan)
        if not len(past.values):
            past = History(plan.frequency, plan.origin, np.zeros(0))
        return await self._memo.make(
            key, partial(forecast, past, lead, subject.calendar, method.value)
        )


def _require_something(history: History, past: History, plan: Schedule) -> None:
    """Raise BadRequest where there is data, but none of it may be learned from."""
    if len(history.values) and not len(past.values):
        per_day = 24 if plan.frequency is Frequency.HOURLY else 1
        raise BadRequest(
            f"nothing to learn from before {day_of(plan.origin // per_day)}; "
            f"there is data from {day_of(history.start // per_day)} "
            f"to {day_of((history.end - 1) // per_day)}"
        )


def _answer(
    granularity: Granularity,
    queue_id: int,
    plan: Schedule,
    made: ForecastDistribution,
    wanted: slice,
) -> Forecast:
    part = replace(made, mean=made.mean[wanted], quantiles=made.quantiles[wanted])
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
