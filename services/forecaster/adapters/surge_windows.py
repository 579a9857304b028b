"""What the watch for surges reads: hours of every queue and topic, and the tickets of one hour."""

from collections.abc import Sequence

import numpy as np

from services.forecaster.adapters.store import Store
from services.forecaster.domain.forecasting.series import IntArray, hour_number, hour_of
from services.forecaster.domain.surges.incidents import Incident, Series
from services.forecaster.domain.surges.sightings import Sighting
from services.forecaster.domain.surges.telling import remembered
from shared import redis_keys as keys
from shared.events import AlertRaised
from shared.read_model import TicketRecord
from shared.windows import CELL_BYTES, Dimension, Grain, periods, unpack

WATCHED = (Dimension.QUEUE, Dimension.TOPIC)
# So many tickets of one hour are enough to say who wrote them and what about.
MOST_SIGHTINGS = 500
_HOUR_MS = 3_600_000


class SurgeWindows:
    """Reads what the projection keeps. Every method raises Unavailable without Redis."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def series(self) -> list[Series]:
        """Every queue and topic that had a ticket."""
        return [
            Series(dimension, name)
            for dimension in WATCHED
            for name in sorted(await self._store.members(keys.series(dimension)))
        ]

    async def counts(self, series: Sequence[Series], first: int, end: int) -> IntArray:
        """Tickets in hours [first, end) since the epoch, shape (len(series), end - first)."""
        result = np.zeros((len(series), end - first), np.int64)
        for period, begins, length in periods(Grain.HOUR, hour_of(first), hour_of(end)):
            begin = hour_number(begins)
            low, high = max(first, begin), min(end, begin + length)
            names = [keys.load(Grain.HOUR, period, each.dimension, each.name) for each in series]
            cells = slice(low - begin, high - begin)
            raws = await self._store.slices(
                names, cells.start * CELL_BYTES, cells.stop * CELL_BYTES
            )
            for row, raw in enumerate(raws):
                result[row, low - first : high - first] = unpack(raw, high - low)
        return result

    async def sightings(self, series: Series, step: int) -> list[Sighting]:
        """Tickets of one hour of a series, the first MOST_SIGHTINGS whose record is there."""
        index = keys.index(series.dimension, series.name)
        ids = await self._store.scored(
            index, step * _HOUR_MS, (step + 1) * _HOUR_MS, MOST_SIGHTINGS
        )
        raws = await self._store.strings([keys.ticket(each) for each in ids])
        records = [TicketRecord.model_validate_json(raw) for raw in raws if raw is not None]
        return [Sighting(r.ticket_id, r.requester, r.queue, r.topic) for r in records]

    async def remembered(self) -> tuple[list[Incident], list[Incident]]:
        """The latest incident of every series: those that are open, and those that are over."""
        stored = await self._store.fields(keys.ALERTS_LATEST)
        return remembered(AlertRaised.model_validate_json(raw) for raw in stored.values())
