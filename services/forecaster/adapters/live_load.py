"""Live load for forecasting: hours of a series as counted, up to the last one closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from services.forecaster.adapters.store import Store
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.granularity import to_daily
from services.forecaster.domain.forecasting.series import Frequency, History, add, hour_number
from shared import redis_keys as keys
from shared.clock import Clock
from shared.errors import BadRequest, NotFound
from shared.forecasting import SeriesName
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
    and for topics.
    """

    dataset_id: str | None
    dimension: Dimension
    queue_id: int
    path: str
    parts: tuple[str, ...]
    version: str = ""


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
        for dimension, name in (
            (Dimension.TOPIC, series.topic),
            (Dimension.PRIORITY, series.priority),
        ):
            if name is not None:
                return await self._label(series, dimension, name)
        await self.nodes()
        if series.queue == str(ALL_QUEUES):
            return Target(None, Dimension.QUEUE, ALL_QUEUES, "", tuple(sorted(self._seen)))
        node = self._find(series.queue)
        parts = tuple(path for path in (node.path, *node.descendants) if path in self._seen)
        return Target(None, Dimension.QUEUE, node.id, node.path, parts)

    async def _label(self, series: SeriesName, dimension: Dimension, name: str) -> Target:
        if series.queue != str(ALL_QUEUES) or (series.topic and series.priority):
            raise BadRequest("load is counted per queue, per topic and per priority: choose one")
        if name not in await self._store.members(keys.series(dimension)):
            raise NotFound(f"no ticket had the {dimension} {name!r} yet")
        return Target(None, dimension, ALL_QUEUES, "", (name,))

    async def nodes(self) -> Mapping[str, QueueNode]:
        """Every queue listed or seen, by path."""
        seen = await self._store.members(keys.series(Dimension.QUEUE))
        if seen != self._seen:
            self._seen, self._nodes = seen, tree(self._directory, seen)
        return self._nodes

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

    async def _read(
        self, grain: Grain, dimension: Dimension, names: Sequence[str]
    ) -> list[History]:
        """Histories of windows from the first to the last ticket of each name."""
        now = self._clock()
        begin = now.replace(year=now.year - YEARS, month=1, day=1)
        # Event time may run ahead of this clock over a new year.
        covered = list(periods(grain, begin, now + timedelta(days=366)))
        wanted = [keys.load(grain, each[0], dimension, name) for name in names for each in covered]
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


def _step(grain: Grain, moment: datetime) -> int:
    hour = hour_number(moment)
    return hour if grain is Grain.HOUR else hour // 24
