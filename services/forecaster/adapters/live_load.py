"""Live load for forecasting: hours of a series as counted, up to the last one closed."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import numpy as np

from services.forecaster.adapters.live_queues import LiveQueues
from services.forecaster.adapters.packed import PackedWindows
from services.forecaster.adapters.recent import FRESH
from services.forecaster.adapters.store import Store
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.granularity import to_daily
from services.forecaster.domain.forecasting.series import (
    Frequency,
    History,
    add,
    hour_number,
    hour_of,
)
from services.forecaster.domain.forecasting.shares import share_of
from shared import redis_keys as keys
from shared.clock import Clock
from shared.errors import NotFound
from shared.forecasting import SeriesName
from shared.mixes import Mix
from shared.queues import ALL_QUEUES, QueueDirectory, QueueNode
from shared.windows import Dimension, Grain, periods

# Older load says nothing about tomorrow's.
YEARS = 20
# After a week without any ticket of any queue the source is silent; that is not a quiet week.
SILENT_HOURS = 168
# 9 KB each for three years: what is read again is seldom other than it was.
MOST_DAYS_KEPT = 4_000
# Years of hours are 100 KB a queue, and whoever asks meanwhile waits for as many.
READ_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Target:
    """A series that may be forecast: the sum of `parts`, each with windows of its own.

    dataset_id, version: of an upload; None and "" for live load. path: of the queue, "" for all
    and for topics. mixes: of a queue's tickets only those of some topics and priorities, which
    have days of their own: pairs of a part and a mix; None for all of its tickets.
    """

    dataset_id: str | None
    dimension: Dimension
    queue_id: int
    path: str
    parts: tuple[str, ...]
    version: str = ""
    mixes: tuple[tuple[str, Mix], ...] | None = None

    @property
    def live_queue(self) -> bool:
        """Whether it is a queue of live load: no topic or priority over all, and no upload."""
        return self.dataset_id is None and self.dimension is Dimension.QUEUE


class LoadSource(Protocol):
    """Load that can be forecast: live, or an uploaded dataset."""

    async def resolve(self, series: SeriesName) -> Target:
        """The series meant; raises NotFound, and BadRequest for one that is not counted."""
        ...

    async def closed(self, frequency: Frequency, calendar: Calendar) -> int:
        """First step that is not over yet: the data ends before it."""
        ...

    async def history(
        self, target: Target, parts: Sequence[str], frequency: Frequency, calendar: Calendar
    ) -> History:
        """The sum of some of a target's parts up to the last closed step."""
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """Of all live load, as it was at the minute `checked`.

    first: the day of the first ticket. end: the first hour that is not over yet, or the one after
    the last ticket where the source is silent. fewest: all topics or all queues. Each ticket has
    one of either, and the fewer are read faster.
    """

    checked: datetime
    first: datetime
    end: int
    fewest: tuple[Dimension, Sequence[str]]


@dataclass(frozen=True, slots=True)
class KnownDays:
    """Closed days of a series, and the content of the windows they were made of."""

    read_at: datetime
    content: int
    days: History


class LiveLoad:
    """The LoadSource of what the projection counted."""

    def __init__(self, store: Store, directory: QueueDirectory, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._queues = LiveQueues(store, directory, clock)
        self._extent: Extent | None = None
        self._days: OrderedDict[Hashable, KnownDays] = OrderedDict()

    async def resolve(self, series: SeriesName) -> Target:
        target = await self._queue(series.queue)
        wanted = {Dimension.TOPIC: series.topic, Dimension.PRIORITY: series.priority}
        given = [(dimension, name) for dimension, name in wanted.items() if name is not None]
        if not given:
            return target
        if target.queue_id == ALL_QUEUES and len(given) == 1:
            return await self._label(*given[0])
        return await self._mixed(target, series)

    async def _queue(self, name: str) -> Target:
        if name == str(ALL_QUEUES):
            seen = (await self._queues.tree()).seen
            return Target(None, Dimension.QUEUE, ALL_QUEUES, "", seen)
        node = await self._queues.find(name)
        parts = (await self._queues.tree()).parts(node)
        return Target(None, Dimension.QUEUE, node.id, node.path, parts)

    async def _label(self, dimension: Dimension, name: str) -> Target:
        if name not in await self._store.members(keys.series(dimension)):
            raise NotFound(f"no ticket had the {dimension} {name!r} yet")
        return Target(None, dimension, ALL_QUEUES, "", (name,))

    async def _mixed(self, target: Target, series: SeriesName) -> Target:
        found = await asyncio.gather(
            *(self._store.members(keys.mixes(part)) for part in target.parts)
        )
        mixes = tuple(
            (part, mix)
            for part, members in zip(target.parts, found, strict=True)
            for mix in map(Mix.of, sorted(members))
            if mix.matches(series.topic, series.priority)
        )
        if not mixes:
            asked = " and ".join(
                f"the {name} {value!r}"
                for name, value in (("topic", series.topic), ("priority", series.priority))
                if value is not None
            )
            raise NotFound(f"no ticket of queue {series.queue!r} had {asked} yet")
        return replace(target, mixes=mixes)

    async def nodes(self) -> Mapping[str, QueueNode]:
        """Every queue listed or seen, by path."""
        return (await self._queues.tree()).nodes

    def id_of(self, path: str) -> int:
        """The id of a queue's path."""
        return self._directory.id_of(path)

    async def closed(self, frequency: Frequency, calendar: Calendar) -> int:
        hour = (await self._known()).end
        if frequency is Frequency.HOURLY:
            return hour
        return int(calendar.local_days(np.array([hour]))[0])

    async def history(
        self, target: Target, parts: Sequence[str], frequency: Frequency, calendar: Calendar
    ) -> History:
        if frequency is Frequency.HOURLY:
            return await self._hours(target, parts)
        closed = await self.closed(frequency, calendar)
        total = History(frequency, closed, np.zeros(0))
        for at, part in enumerate(parts):
            days = await self._days_of(target.dimension, part, calendar, closed)
            total = add([total, days]) if len(total.values) else days
            if at % READ_AT_ONCE == READ_AT_ONCE - 1:
                await asyncio.sleep(0)
        return total

    async def _days_of(
        self, dimension: Dimension, name: str, calendar: Calendar, closed: int
    ) -> History:
        """Closed days of one series. For a second after they were read they are as they were."""
        now = self._clock()
        key = (dimension, name, calendar.timezone, closed)
        known = self._days.get(key)
        if known is not None and abs(now - known.read_at) < FRESH:
            return known.days
        windows = await self._read(Grain.HOUR, dimension, [name])
        # Where midnight is half past an hour, that hour is still the day before's.
        content = windows.content(calendar.midnight(closed) + 1)
        if known is not None and known.content == content:
            days = known.days
        else:
            hours = _closed_hours(windows.histories(), (await self._known()).end)
            days = to_daily(hours, calendar).until(closed)
        self._days[key] = KnownDays(now, content, days)
        self._days.move_to_end(key)
        if len(self._days) > MOST_DAYS_KEPT:
            self._days.popitem(last=False)
        return days

    async def _hours(self, target: Target, parts: Sequence[str]) -> History:
        extent = await self._known()
        dimension, names = target.dimension, parts
        if target.live_queue and target.queue_id == ALL_QUEUES and parts == target.parts:
            dimension, names = extent.fewest
        total: list[History] = []
        for at in range(0, len(names), READ_AT_ONCE):
            windows = await self._read(Grain.HOUR, dimension, names[at : at + READ_AT_ONCE])
            found = [*total, *windows.histories()]
            total = [add(found)] if len(found) > 1 else found
        # Between the last ticket of one and the first of another there were none, and no gap.
        filled = [replace(each, values=np.nan_to_num(each.values)) for each in total]
        return _closed_hours(filled, extent.end)

    async def share(self, target: Target, origin: int) -> float:
        """Share of a mixed target in its queue's tickets, from the days before `origin` alone."""
        mixes = target.mixes or ()
        first = (await self._known()).first
        parts = await self._windows(
            Grain.DAY, [partial(_mix_key, part, mix) for part, mix in mixes], first
        )
        whole = await self._read(Grain.DAY, target.dimension, target.parts)
        return share_of(add(parts.histories()), add(whole.histories()), origin)

    async def _read(
        self, grain: Grain, dimension: Dimension, names: Sequence[str]
    ) -> PackedWindows:
        first = (await self._known()).first
        return await self._windows(
            grain, [partial(_load_key, grain, dimension, name) for name in names], first
        )

    async def _windows(
        self, grain: Grain, series: Sequence[Callable[[str], str]], first: datetime
    ) -> PackedWindows:
        """Windows from the year of `first` on; each series names the key of a period."""
        # Event time may run ahead of this clock over a new year.
        covered = list(periods(grain, first, self._clock() + timedelta(days=366)))
        wanted = [key_of(each[0]) for key_of in series for each in covered]
        return PackedWindows(grain, covered, await self._store.strings(wanted))

    async def _known(self) -> Extent:
        minute = self._clock().replace(second=0, microsecond=0)
        if self._extent is None or self._extent.checked != minute:
            self._extent = await self._find_extent(minute)
        return self._extent

    async def _find_extent(self, minute: datetime) -> Extent:
        queues = await self._store.members(keys.series(Dimension.QUEUE))
        topics = await self._store.members(keys.series(Dimension.TOPIC))
        fewer_topics = 0 < len(topics) < len(queues)
        dimension = Dimension.TOPIC if fewer_topics else Dimension.QUEUE
        names = sorted(topics if fewer_topics else queues)
        first = minute.replace(year=minute.year - YEARS, month=1, day=1)
        series = [partial(_load_key, Grain.DAY, dimension, name) for name in names]
        days = (await self._windows(Grain.DAY, series, first)).histories()
        now = hour_number(minute)
        if not days:
            return Extent(minute, first, now, (dimension, names))
        last = 24 * max(each.end for each in days)
        end = last if last < now - SILENT_HOURS else now
        first = hour_of(24 * min(each.start for each in days))
        return Extent(minute, first, end, (dimension, names))


def _closed_hours(histories: Sequence[History], end: int) -> History:
    """One history, or none, up to hour `end`; hours after its last ticket are zeros."""
    whole = histories[0] if histories else History(Frequency.HOURLY, end, np.zeros(0))
    if whole.end < end:
        values = np.concatenate([whole.values, np.zeros(end - whole.end)])
        whole = History(Frequency.HOURLY, whole.start, values)
    return whole.until(end)


def _load_key(grain: Grain, dimension: Dimension, name: str, period: str) -> str:
    return keys.load(grain, period, dimension, name)


def _mix_key(queue: str, mix: Mix, period: str) -> str:
    return keys.mix(period, queue, mix.member)
