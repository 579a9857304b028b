"""Forecasts on demand: of live queues and of uploaded datasets, by the code the backtest judges."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import numpy as np

from services.forecaster.adapters.datasets import DatasetLoad, Datasets
from services.forecaster.adapters.event_book import EventBook
from services.forecaster.adapters.live_load import LiveLoad, LoadSource, Target
from services.forecaster.adapters.model_shelf import ModelShelf
from services.forecaster.adapters.store import Store
from services.forecaster.answers import answer_of
from services.forecaster.calendars import Calendars, concerning
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.distribution import ForecastDistribution, recentred
from services.forecaster.domain.forecasting.events import PlannedEvent
from services.forecaster.domain.forecasting.forecast import forecast
from services.forecaster.domain.forecasting.schedule import Schedule, schedule
from services.forecaster.domain.forecasting.series import (
    FloatArray,
    Frequency,
    History,
    day_of,
)
from services.forecaster.domain.forecasting.shares import shared
from services.forecaster.domain.forecasting.today import moved_by_today
from services.forecaster.memo import FRESH, Lately, Memo
from shared.clock import Clock
from shared.errors import BadRequest
from shared.forecasting import (
    MAX_HORIZON_DAYS,
    Champion,
    ForecastOrder,
    Method,
    SeriesName,
)
from shared.granularity import Granularity
from shared.windows import Dimension

Result = TypeVar("Result")
# Who asks for another queue waits while so many parts of a sum are looked up.
PARTS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about: a series, where its load is, and the calendar it lives by."""

    source: LoadSource
    target: Target
    calendar: Calendar
    events: tuple[PlannedEvent, ...] = ()

    def calendar_of(self, parts: tuple[str, ...]) -> Calendar:
        """The subject's clock; of one queue below it also the events of that queue alone."""
        target = self.target
        live = target.dataset_id is None and target.dimension is Dimension.QUEUE
        if not live or len(parts) != 1:
            return self.calendar
        return replace(self.calendar, events=concerning(self.events, parts[0]))

    async def history(self, frequency: Frequency) -> History:
        """All of the series up to the last closed step. Raises BadRequest for a queue's share."""
        if self.target.mixes is not None:
            raise BadRequest(
                "a topic or priority within a queue is forecast as its share of the queue; judge "
                "the queue, or the topic or priority over all queues (0)"
            )
        parts = self.target.parts
        return await self.source.history(self.target, parts, frequency, self.calendar)


Make = Callable[[Subject, Schedule, Method, tuple[str, ...]], Awaitable[ForecastDistribution]]


class Forecasting:
    """Answers orders. A forecast is remembered by all it was made from.

    Whether tickets came late is looked up again after FRESH, for a sum after twice as long.
    """

    def __init__(
        self,
        store: Store,
        live: LiveLoad,
        datasets: Datasets,
        calendars: Calendars,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._lately = Lately(clock)
        # All queues together have as many champions as there are queues.
        self._crowned: dict[int, Champion | None] = {}
        self._crowned_at = datetime.min.replace(tzinfo=UTC)
        self._store = store
        self._live = live
        self._datasets = datasets
        self._calendars = calendars
        self._memo = Memo()
        self.shelf = ModelShelf(store, clock)
        self.events = EventBook(store, clock)

    async def subject(self, series: SeriesName) -> Subject:
        """Raises NotFound for a queue or dataset nobody knows."""
        source: LoadSource = self._live
        if series.dataset_id is not None:
            source = DatasetLoad(self._store, await self._datasets.find(series.dataset_id))
        target = await source.resolve(series)
        if series.dataset_id is not None:
            return Subject(source, target, self._calendars.of(""))
        events = await self.events.all()
        calendar = self._calendars.of(target.path, concerning(events, target.path))
        return Subject(source, target, calendar, events)

    async def forecast(self, order: ForecastOrder) -> bytes:
        """A `shared.forecast_result` as JSON.

        Raises BadRequest where the dates leave nothing to learn from, NotFound.
        """
        subject, plan, made = await self.steps(order)
        target = subject.target
        asked = order.champion and target.live_queue
        champions = await self._champions([target.queue_id]) if asked else {}
        return answer_of(order, target.queue_id, plan, made, champions.get(target.queue_id))

    async def steps(self, order: ForecastOrder) -> tuple[Subject, Schedule, ForecastDistribution]:
        """The forecast per hour or day that an order is answered from."""
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
        made = await self.distribution(subject, plan, order.method)
        if subject.target.mixes is not None:
            day = plan.origin_day(subject.calendar)
            made = shared(made, await self._live.share(subject.target, day))
        wanted = slice(plan.gap, plan.gap + plan.steps)
        part = replace(
            made, start=plan.first, mean=made.mean[wanted], quantiles=made.quantiles[wanted]
        )
        return subject, plan, part

    async def distribution(
        self, subject: Subject, plan: Schedule, method: Method, *, moved: bool = True
    ) -> ForecastDistribution:
        """The forecast from the plan's origin on, over its gap and its steps or longer.

        A queue with others below it is the sum of what is below, with its own spread around it.
        method: AUTO is each queue's own choice. moved: the day that has begun is moved by its
        closed hours.
        """
        target = subject.target
        make = self._now if moved else self._one
        if len(target.parts) < 2:
            methods = await self._methods(subject, method)
            return await make(subject, plan, methods[target.parts], target.parts)
        trained = await self.shelf.choice(target)
        hour = await self._hour(subject, plan) if moved else None
        asked = (target, subject.calendar, subject.events, plan, method, trained, hour)
        if (known := self._memo.known(self._lately.of(asked))) is not None:
            return known
        now = self._clock()
        made = await self._sum(subject, plan, method, make)
        self._memo.keep(asked, made)
        self._lately.put(asked, now, asked)
        return made

    async def _sum(
        self, subject: Subject, plan: Schedule, method: Method, make: Make
    ) -> ForecastDistribution:
        methods, parts = await self._methods(subject, method), subject.target.parts
        shares: list[ForecastDistribution] = []
        for at in range(0, len(parts), PARTS_AT_ONCE):
            some = [(part,) for part in parts[at : at + PARTS_AT_ONCE]]
            each = [make(subject, plan, methods[part], part) for part in some]
            shares += await asyncio.gather(*each)
        # After its parts: what was read for them is not read again.
        whole = await make(subject, plan, methods[parts], parts)
        mean: FloatArray = np.sum([share.mean for share in shares], axis=0)
        return recentred(whole, mean)

    async def method_of(self, subject: Subject) -> Method:
        """What AUTO means for a subject: trained by somebody, else its champion, else AUTO."""
        return (await self._methods(subject, Method.AUTO))[subject.target.parts]

    async def _methods(self, subject: Subject, method: Method) -> Mapping[tuple[str, ...], Method]:
        """The method of a subject and of each of its parts."""
        target = subject.target
        wanted: dict[tuple[str, ...], Method] = {(part,): method for part in target.parts}
        wanted[target.parts] = method
        if method is not Method.AUTO:
            return wanted
        trained = await self.shelf.choice(target)
        if trained is not Method.AUTO:
            return dict.fromkeys(wanted, trained)
        if target.live_queue:
            ids: dict[tuple[str, ...], int] = {
                (part,): self._live.id_of(part) for part in target.parts
            }
            ids[target.parts] = target.queue_id
            champions = await self._champions(set(ids.values()))
            wanted |= {
                parts: champions[each].method for parts, each in ids.items() if each in champions
            }
        return wanted

    async def crown(self, champion: Champion) -> None:
        """Keep a champion; forecasts made from now on are its."""
        await self.shelf.crown(champion)
        self._crowned[champion.queue_id] = champion

    async def _champions(self, queue_ids: Collection[int]) -> Mapping[int, Champion]:
        now = self._clock()
        if abs(now - self._crowned_at) >= FRESH:
            self._crowned, self._crowned_at = {}, now
        unknown = [each for each in queue_ids if each not in self._crowned]
        if unknown:
            found = await self.shelf.champions(unknown)
            self._crowned |= {each: found.get(each) for each in unknown}
        known = {each: self._crowned[each] for each in queue_ids}
        return {each: champion for each, champion in known.items() if champion is not None}

    async def off_loop(self, work: Callable[[], Result]) -> Result:
        """Run long work beside the event loop."""
        return await self._memo.run(work)

    async def _hour(self, subject: Subject, plan: Schedule) -> int | None:
        """The first hour that is not closed, where the forecast's first day has begun."""
        calendar = subject.calendar
        if plan.frequency is Frequency.HOURLY or subject.target.dataset_id is not None:
            return None
        hour = await subject.source.closed(Frequency.HOURLY, calendar)
        begun = calendar.midnight(plan.origin) < hour < calendar.midnight(plan.origin + 1)
        return hour if begun else None

    async def _now(
        self, subject: Subject, plan: Schedule, method: Method, parts: tuple[str, ...]
    ) -> ForecastDistribution:
        morning = await self._one(subject, plan, method, parts)
        target, calendar = subject.target, subject.calendar_of(parts)
        hour = await self._hour(subject, plan)
        if hour is None or not parts:
            return morning
        made_from = hash(morning.mean.tobytes())
        key = (target.dimension, parts, calendar, method, plan, hour, made_from)
        if (known := self._memo.known(key)) is not None:
            return known
        hours = await subject.source.history(target, parts, Frequency.HOURLY, calendar)
        # A fifth of a millisecond: the way to the other thread and back takes longer.
        moved = moved_by_today(morning, hours, calendar)
        self._memo.keep(key, moved)
        return moved

    async def _one(
        self, subject: Subject, plan: Schedule, method: Method, parts: tuple[str, ...]
    ) -> ForecastDistribution:
        # A forecast of fewer days is the beginning of one of all: one fit serves every horizon.
        daily = plan.frequency is Frequency.DAILY
        lead = MAX_HORIZON_DAYS if daily else plan.gap + plan.steps
        target, calendar = subject.target, subject.calendar_of(parts)
        series = (target.dataset_id, target.version, target.dimension, parts, calendar)
        asked = (series, method, plan.frequency, plan.since, plan.origin, lead)
        if (known := self._memo.known(self._lately.of(asked))) is not None:
            return known
        now = self._clock()
        history = await subject.source.history(target, parts, plan.frequency, calendar)
        past = plan.past(history)
        if parts == target.parts:
            _require_something(history, past, plan)
        if not len(past.values):
            past = History(plan.frequency, plan.origin, np.zeros(0))
        content = hashlib.blake2b(past.values.tobytes(), digest_size=16).digest()
        made_from = (content, past.start, plan.frequency, lead, calendar, method)
        self._lately.put(asked, now, made_from)
        work = partial(forecast, past, lead, calendar, method.value)
        return await self._memo.make(made_from, work)


def _require_something(history: History, past: History, plan: Schedule) -> None:
    """Raise BadRequest where there is data, but none of it may be learned from."""
    if len(history.values) and not len(past.values):
        per_day = 24 if plan.frequency is Frequency.HOURLY else 1
        raise BadRequest(
            f"nothing to learn from before {day_of(plan.origin // per_day)}; "
            f"there is data from {day_of(history.start // per_day)} "
            f"to {day_of((history.end - 1) // per_day)}"
        )
