"""Uploaded datasets: kept like live days, each under an id that only its uploader was told."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain

import numpy as np

from services.forecaster.adapters.live_load import Target
from services.forecaster.adapters.store import Store
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.series import (
    Frequency,
    History,
    add,
    day_number,
    day_of,
)
from shared import redis_keys as keys
from shared.clock import Clock
from shared.errors import BadRequest, NotFound
from shared.forecasting import Dataset, SeriesName
from shared.queues import ALL_QUEUES
from shared.windows import Dimension, Grain, periods, unpack


class Datasets:
    """Makes, fills and finds datasets. One that nobody touches expires."""

    def __init__(self, store: Store, clock: Clock, life_seconds: int) -> None:
        self._store = store
        self._clock = clock
        self._life = life_seconds

    async def find(self, dataset_id: str) -> Dataset:
        """Raises NotFound for an id nobody was given, or that expired."""
        [raw] = await self._store.strings([keys.dataset(dataset_id)])
        if raw is None:
            raise NotFound("nobody knows this dataset; POST /api/upload_data makes one")
        return Dataset.model_validate_json(raw)

    async def begin(self, dataset_id: str | None) -> Dataset:
        """The dataset to upload into; a new one without an id."""
        if dataset_id is not None:
            return await self.find(dataset_id)
        return Dataset(id=str(uuid.uuid4()), created_at=self._clock())

    async def put_tickets(self, dataset: Dataset, rows: Mapping[int, History]) -> Dataset:
        """Replace the days of a dataset, whole. rows: by queue, NaN where there was no row.

        Such days count as days without tickets: an export has no row for a queue at rest.
        """
        first = min(history.start for history in rows.values())
        last = max(history.end for history in rows.values()) - 1
        filled = dataset.model_copy(
            update={
                "queues": sorted(rows),
                "first": day_of(first),
                "last": day_of(last),
                "version": uuid.uuid4().hex,
            }
        )
        windows = {
            keys.dataset_load(dataset.id, year, str(queue)): packed
            for queue, history in rows.items()
            for year, packed in _years(history)
        }
        await self._replace(filled, windows, drop=_window_keys(dataset))
        return filled

    async def put_tree(self, dataset: Dataset, parents: Mapping[int, int | None]) -> Dataset:
        """Replace the tree of a dataset."""
        grown = dataset.model_copy(update={"parents": dict(parents), "version": uuid.uuid4().hex})
        names = _window_keys(grown)
        raws = await self._store.strings(names)
        # Written again unchanged: tree and days are to expire at the same moment.
        windows = {name: raw for name, raw in zip(names, raws, strict=True) if raw}
        await self._replace(grown, windows, drop=())
        return grown

    async def _replace(
        self, dataset: Dataset, windows: Mapping[str, bytes], drop: Sequence[str]
    ) -> None:
        content = {keys.dataset(dataset.id): dataset.model_dump_json().encode(), **windows}
        await self._store.put(content, self._life, drop)


class DatasetLoad:
    """The LoadSource of one dataset: days, already in the calendar of whoever uploaded them."""

    def __init__(self, store: Store, dataset: Dataset) -> None:
        self._store = store
        self._dataset = dataset

    async def resolve(self, series: SeriesName) -> Target:
        if series.topic is not None or series.priority is not None:
            raise BadRequest("an uploaded dataset has queues, but no topics and priorities")
        paths = self._dataset.paths()
        rows = {str(queue) for queue in self._dataset.queues}
        if series.queue == str(ALL_QUEUES) and ALL_QUEUES not in paths:
            return self._target(0, "", tuple(sorted(rows)))
        known = {path: queue for queue, path in paths.items()}
        wanted = series.queue.rsplit("/", 1)[-1]
        if not (wanted.isascii() and wanted.isdigit() and int(wanted) in paths):
            raise NotFound(f"the dataset has no queue {series.queue!r}")
        queue = int(wanted)
        below = [q for p, q in known.items() if f"{p}/".startswith(f"{paths[queue]}/")]
        parts = tuple(str(each) for each in sorted(below) if str(each) in rows)
        return self._target(queue, paths[queue], parts)

    def _target(self, queue: int, path: str, parts: tuple[str, ...]) -> Target:
        dataset = self._dataset
        return Target(dataset.id, Dimension.QUEUE, queue, path, parts, dataset.version)

    async def closed(self, frequency: Frequency, calendar: Calendar) -> int:
        _only_days(frequency)
        last = self._dataset.last
        if last is None:
            raise BadRequest("the dataset has no tickets yet; upload them with its dataset_id")
        return day_number(last) + 1

    async def history(
        self, target: Target, parts: Sequence[str], frequency: Frequency, calendar: Calendar
    ) -> History:
        end = await self.closed(frequency, calendar)
        first = self._dataset.first or date.min
        covered = list(periods(Grain.DAY, _midnight(first), _midnight(day_of(end))))
        wanted = [
            keys.dataset_load(self._dataset.id, p[0], part) for part in parts for p in covered
        ]
        raws = await self._store.strings(wanted)
        start = day_number(covered[0][1].date())
        found = []
        for row in range(0, len(raws), len(covered)):
            cells = zip(raws[row : row + len(covered)], covered, strict=True)
            values = np.concatenate([unpack(raw, length) for raw, (_, _, length) in cells])
            if len(used := np.flatnonzero(values)):
                skipped = int(used[0])
                days = values[skipped : end - start].astype(np.float64)
                found.append(History(Frequency.DAILY, start + skipped, days))
        return add(found) if found else History(Frequency.DAILY, end, np.zeros(0))


def _only_days(frequency: Frequency) -> None:
    if frequency is Frequency.HOURLY:
        raise BadRequest("an uploaded dataset is kept by day; ask for daily or a coarser one")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _years(history: History) -> Iterable[tuple[str, bytes]]:
    first, end = day_of(history.start), day_of(history.end)
    values = np.nan_to_num(history.values)
    for year, begin, length in periods(Grain.DAY, _midnight(first), _midnight(end)):
        cells = np.zeros(length, ">u4")
        at = history.start - day_number(begin.date())
        into = slice(max(at, 0), min(at + len(values), length))
        cells[into] = values[into.start - at : into.stop - at]
        yield year, cells.tobytes()


def _window_keys(dataset: Dataset) -> list[str]:
    if dataset.first is None or dataset.last is None:
        return []
    years = range(dataset.first.year, dataset.last.year + 1)
    queues = (str(queue) for queue in dataset.queues)
    return list(
        chain.from_iterable(
            (keys.dataset_load(dataset.id, str(year), queue) for year in years) for queue in queues
        )
    )
