"""Training, comparing and backtesting of one series: always on days the forecast did not see."""

from collections.abc import Mapping
from datetime import date
from functools import partial

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.forecast import default_method, forecast, trim
from services.forecaster.domain.forecasting.series import (
    FloatArray,
    Frequency,
    History,
    day_number,
    day_of,
)
from services.forecaster.domain.judging.backtest import run, summarise
from services.forecaster.domain.judging.champion import choose
from services.forecaster.domain.judging.metrics import LEAD_BUCKETS, bucket_name
from services.forecaster.forecasting import Forecasting, Subject
from shared.clock import Clock
from shared.errors import BadRequest
from shared.forecasting import (
    Backtest,
    BacktestOrder,
    Champion,
    Comparison,
    HeldOut,
    LeadScore,
    Method,
    TrainedModel,
    TrainOrder,
)

SHORTEST_DAYS = 14
COMPARED = (Method.POOL, Method.INTERMITTENT, Method.WEEKLY_MEAN, Method.SEASONAL_NAIVE)


class Judging:
    """Answers how good forecasts of a series are."""

    def __init__(self, forecasting: Forecasting, clock: Clock) -> None:
        self._forecasting = forecasting
        self._clock = clock

    async def train(self, order: TrainOrder) -> TrainedModel:
        """Judge the method on what follows `train_end`, and keep it as the queue's choice.

        Without `train_end` the last `horizon` days are held out. "auto" is settled by a backtest
        of all methods on the days before. Raises BadRequest where too few days are left.
        """
        subject = await self._forecasting.subject(order.series)
        past, actuals = await _split(subject, order)
        method = order.method
        if method is Method.AUTO:
            chosen = await self._forecasting.off_loop(partial(choose, past, subject.calendar))
            method = Method(chosen.method)
        found = await self._forecasting.off_loop(
            partial(_held_out, past, actuals, subject.calendar, method)
        )
        queue_id = subject.target.queue_id
        model = TrainedModel(
            id=f"{queue_id}:{method}",
            queue_id=queue_id,
            series=order.series,
            method=method,
            trained_at=self._clock(),
            **found.model_dump(),
        )
        await self._forecasting.shelf.put(model)
        return model

    async def champion(self, subject: Subject, past: History) -> Champion | None:
        """Choose the method of a queue by what it has of days; None where those are too few."""
        chosen = await self._forecasting.off_loop(partial(choose, past, subject.calendar))
        if not chosen.losses:
            return None
        champion = Champion(
            queue_id=subject.target.queue_id,
            method=Method(chosen.method),
            judged_until=day_of(past.end - 1),
            losses={Method(name): round(loss, 5) for name, loss in chosen.losses.items()},
        )
        await self._forecasting.crown(champion)
        return champion

    async def compare(self, order: TrainOrder) -> Comparison:
        """Every method on the same held-out days."""
        subject = await self._forecasting.subject(order.series)
        past, actuals = await _split(subject, order)
        judged = {
            method.value: await self._forecasting.off_loop(
                partial(_held_out, past, actuals, subject.calendar, method)
            )
            for method in COMPARED
        }
        return Comparison(methods=judged)

    async def backtest(self, order: BacktestOrder) -> Backtest:
        """Rolling origins on the daily history, scored per lead beside the seasonal naive."""
        subject = await self._forecasting.subject(order.series)
        history = trim(await subject.history(Frequency.DAILY))
        method = await self._forecasting.method_of(subject)
        shown = default_method(history) if method is Method.AUTO else method.value
        work = partial(_backtest, history, subject.calendar, order, method)
        leads, forecasts = await self._forecasting.off_loop(work)
        if not leads:
            raise BadRequest(
                f"{len(history.values)} days are too few to judge {order.horizon} days ahead: "
                f"two weeks and the horizon are needed"
            )
        return Backtest(
            queue_id=subject.target.queue_id,
            method=shown,
            horizon=order.horizon,
            forecasts=forecasts,
            first=day_of(history.start),
            last=day_of(history.end - 1),
            leads=leads,
        )


async def _split(subject: Subject, order: TrainOrder) -> tuple[History, FloatArray]:
    """What may be learned from, and at most `horizon` days that follow it."""
    history = trim(await subject.history(Frequency.DAILY))
    if order.train_start is not None:
        history = history.since(day_number(order.train_start))
    origin = _origin(history, order.train_end, order.horizon)
    past = history.until(origin)
    if len(past.values) < SHORTEST_DAYS:
        raise BadRequest(
            f"{len(past.values)} days to learn from are too few, {SHORTEST_DAYS} are needed; "
            "choose other dates or a shorter forecast_horizon"
        )
    return past, history.since(origin).values[: order.horizon]


def _origin(history: History, train_end: date | None, horizon: int) -> int:
    if train_end is None:
        return history.end - horizon
    origin = day_number(train_end) + 1
    if origin >= history.end:
        raise BadRequest(
            f"no days after {train_end} to judge by; leave train_end_date out to hold the last "
            f"{horizon} days out"
        )
    return origin


def _held_out(past: History, actuals: FloatArray, calendar: Calendar, method: Method) -> HeldOut:
    mean = forecast(past, len(actuals), calendar, method.value).mean
    errors = actuals - mean
    busy = actuals > 0
    return HeldOut(
        rmse=float(np.sqrt(np.mean(errors**2))),
        mae=float(np.mean(np.abs(errors))),
        mape=float(np.mean(np.abs(errors[busy]) / actuals[busy])) if busy.any() else None,
        days=len(actuals),
    )


def _backtest(
    history: History, calendar: Calendar, order: BacktestOrder, method: Method
) -> tuple[dict[str, LeadScore], int]:
    def forecaster(pasts: Mapping[str, History], lead: int) -> Mapping[str, ForecastDistribution]:
        return {name: forecast(past, lead, calendar, method.value) for name, past in pasts.items()}

    step = max(1, order.horizon // 2)
    trials = list(
        run({"": history}, forecaster, horizon=order.horizon, origins=order.origins, step=step)
    )
    names = [bucket_name(bucket) for bucket in LEAD_BUCKETS]
    found = {name: summarise(trials, name) for name in names}
    return (
        {name: LeadScore.model_validate(scores) for name, scores in found.items() if scores},
        len(trials),
    )
