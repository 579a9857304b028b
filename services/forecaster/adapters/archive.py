"""Every published forecast, kept so that it can be held to what happened."""

import numpy as np

from services.forecaster.adapters.store import Store
from services.forecaster.domain.forecasting.distribution import QUANTILES, ForecastDistribution
from services.forecaster.domain.forecasting.series import Frequency, day_number, day_of
from shared import redis_keys as keys

# The leads that accuracy is promised for; 2 KB per forecast.
KEPT_DAYS = 84
_COLUMNS = 1 + len(QUANTILES)


class ForecastArchive:
    """Daily forecasts by queue and first day. The first one published for a day stays."""

    def __init__(self, store: Store, kept: int) -> None:
        """kept: days of publishing that are kept."""
        self._store = store
        self._kept = kept

    async def has(self, queue_id: int, start: int) -> bool:
        """Whether a forecast from this day number on was published."""
        return await self._store.has_field(keys.published(queue_id), _field(start))

    async def put(self, queue_id: int, made: ForecastDistribution) -> None:
        """Keep the first leads of a forecast, and forget what is too old."""
        key = keys.published(queue_id)
        table = np.column_stack([made.mean, made.quantiles])[:KEPT_DAYS].astype("<f4")
        await self._store.set_field(
            key, _field(made.start), made.method.encode() + b"\0" + table.tobytes()
        )
        oldest = _field(made.start - self._kept)
        stored = await self._store.fields(key)
        await self._store.drop_fields(key, [field for field in stored if field < oldest])

    async def all(self, queue_id: int) -> list[ForecastDistribution]:
        """Every forecast kept of a queue, the oldest first."""
        stored = await self._store.fields(keys.published(queue_id))
        return [_unpacked(field, raw) for field, raw in sorted(stored.items())]


def _field(start: int) -> str:
    return day_of(start).isoformat()


def _unpacked(field: str, raw: bytes) -> ForecastDistribution:
    method, _, packed = raw.partition(b"\0")
    table = np.frombuffer(packed, "<f4").reshape(-1, _COLUMNS).astype(np.float64)
    start = day_number(np.datetime64(field, "D").astype(object))
    return ForecastDistribution(Frequency.DAILY, start, table[:, 0], table[:, 1:], method.decode())
