"""Live load for forecasting: hours of a series as counted, up to the last one closed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import numpy as np

from services.forecaster.adapters.store import Store
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.granularity import to_daily
from services.forecaster.domain.forecasting.series import Frequency, History, add, hour_number
from services.forecaster.domain.forecasting.shares import share_of
from shared import redis_keys as keys
from shared.clock import Clock
from shared.errors import NotFound
from shared.forecasting import SeriesName
from shared.mixes import Mix
from shared.queues import ALL_QUEUES, SEPARATOR, QueueDirectory, QueueNode, tree
from shared.windows import Dimension, Grain, periods, unpack

# Older load says nothing about tomorrow's.
YEARS = 20
# After a week without any ticket of any queue the source is silent; that is not a quiet week.
SILENT_HOURS = 168


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


class LiveLoad:
    """The LoadSource of what the projection counted."""

    def __init__(self, store: Store, directory: QueueDirectory, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._seen: frozenset[str] = frozenset()
        self._nodes: Mapping[str, QueueNode] = tree(directory, ())
        self._end: tuple[datetime, int] = (datetime.min.replace(tzinfo=UTC), 0)

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
        await self.nodes()
        if name == str(ALL_QUEUES):
            return Target(None, Dimension.QUEUE, ALL_QUEUES, "", tuple(sorted(self._seen)))
        node = self._find(name)
        parts = tuple(path for path in (node.path, *node.descendants) if path in self._seen)
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
        seen = await self._store.members(keys.series(Dimension.QUEUE))
        if seen != self._seen:
            self._seen, self._nodes = seen, tree(self._directory, seen)
        return self._nodes

    def id_of(self, path: str) -> int:
        """The id of a queue's path."""
        return self._directory.id_of(path)

    def _find(self, name: str) -> QueueNode:
        node = self._nodes.get(name.strip(SEPARATOR))
        if node is None and name.isascii() and name.isdigit():
            number = int(name)
            node = next((each for each in self._nodes.values() if each.id == number), None)
        if node is None:
            raise NotFound(f"nobody knows a queue {name!r}; GET /api/queues lists them")
        return node

    async def closed(self, frequency: Frequency, calendar: Calendar) -> int:
        hour = await self._end_hour()
        if frequency is Frequency.HOURLY:
            return hour
        return int(calendar.local_days(np.array([hour]))[0])

    async def history(
        self, target: Target, parts: Sequence[str], frequency: Frequency, calendar: Calendar
    ) -> History:
        hours = await self.hours(target.dimension, parts)
        if frequency is Frequency.HOURLY:
            return hours
        return to_daily(hours, calendar).until(await self.closed(frequency, calendar))

    async def hours(self, dimension: Dimension, names: Sequence[str]) -> History:
        """Sum of series from the first ticket on; hours without tickets are zeros."""
        end = await self._end_hour()
        histories = await self._read(Grain.HOUR, dimension, names)
        whole = add(histories) if histories else History(Frequency.HOURLY, end, np.zeros(0))
        if whole.end < end:
            values = np.concatenate([whole.values, np.zeros(end - whole.end)])
            whole = History(Frequency.HOURLY, whole.start, values)
        return whole.until(end)

    async def share(self, target: Target, origin: int) -> float:
        """Share of a mixed target in its queue's tickets, from the days before `origin` alone."""
        mixes = target.mixes or ()
        parts = await self._windows(
            Grain.DAY, [partial(_mix_key, part, mix) for part, mix in mixes]
        )
        whole = await self._read(Grain.DAY, target.dimension, target.parts)
        return share_of(add(parts), add(whole), origin)

    async def _read(
        self, grain: Grain, dimension: Dimension, names: Sequence[str]
    ) -> list[History]:
        """Histories of windows from the first to the last ticket of each name."""
        return await self._windows(
            grain, [partial(_load_key, grain, dimension, name) for name in names]
        )

    async def _windows(self, grain: Grain, series: Sequence[Callable[[str], str]]) -> list[History]:
        """Histories of packed windows; each series names the key of a period."""
        now = self._clock()
        begin = now.replace(year=now.year - YEARS, month=1, day=1)
        # Event time may run ahead of this clock over a new year.
        covered = list(periods(grain, begin, now + timedelta(days=366)))
        wanted = [key_of(each[0]) for key_of in series for each in covered]
        raws = await self._store.strings(wanted)
        first = _step(grain, covered[0][1])
        found = []
        for row in range(0, len(raws), len(covered)):
            cells = zip(raws[row : row + len(covered)], covered, strict=True)
            values = np.concatenate([unpack(raw, length) for raw, (_, _, length) in cells])
            if len(used := np.flatnonzero(values)):
                part = values[used[0] : used[-1] + 1].astype(np.float64)
                frequency = Frequency.HOURLY if grain is Grain.HOUR else Frequency.DAILY
                found.append(History(frequency, first + int(used[0]), part))
        return found

    async def _end_hour(self) -> int:
        minute = self._clock().replace(second=0, microsecond=0)
        checked, end = self._end
        if checked != minute:
            end = await self._find_end(hour_number(minute))
            self._end = (minute, end)
        return end

    async def _find_end(self, now: int) -> int:
        by_topic, by_queue = [
            (each, await self._store.members(keys.series(each)))
            for each in (Dimension.TOPIC, Dimension.QUEUE)
        ]
        # Each ticket has one queue and one topic: the fewer are read faster.
        dimension, names = min(by_topic, by_queue, key=lambda pair: len(pair[1]))
        days = await self._read(Grain.DAY, dimension, sorted(names))
        last = 24 * max((each.end for each in days), default=0)
        return last if 0 < last < now - SILENT_HOURS else now


def _load_key(grain: Grain, dimension: Dimension, name: str, period: str) -> str:
    return keys.load(grain, period, dimension, name)


def _mix_key(queue: str, mix: Mix, period: str) -> str:
    return keys.mix(period, queue, mix.member)


def _step(grain: Grain, moment: datetime) -> int:
    hour = hour_number(moment)
    return hour if grain is Grain.HOUR else hour // 24
