"""Writers of what the views read: the forecaster's part, in memory and on a real server."""

from datetime import datetime
from typing import Any, Protocol

from redis.asyncio import Redis

from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.adapters.views import PartitionPosition
from services.gateway.domain.feed import FeedId
from shared import redis_keys
from shared.mixes import Mix
from shared.read_model import FeedEntry, HumanValues, TicketRecord, Totals
from shared.windows import Dimension, Grain, cells


class Projection(Protocol):
    """Writes what the forecaster would."""

    async def put(self, record: TicketRecord, human: HumanValues | None = None) -> None: ...
    async def expire(self, ticket_id: str) -> None: ...
    async def count(self, dim: Dimension, name: str, at: datetime, tickets: int) -> None: ...
    async def mix(self, queue: str, mix: Mix, at: datetime, tickets: int) -> None: ...
    async def total(self, totals: Totals) -> None: ...
    async def position(self, position: PartitionPosition) -> None: ...
    async def feed(self, entry: FeedEntry, at: FeedId) -> None: ...
    async def trim(self, keep: int) -> None: ...


class MemoryProjection:
    def __init__(self, views: MemoryViews) -> None:
        self._views = views

    async def put(self, record: TicketRecord, human: HumanValues | None = None) -> None:
        self._views.put_ticket(record, human)

    async def expire(self, ticket_id: str) -> None:
        self._views.expire(ticket_id)

    async def count(self, dim: Dimension, name: str, at: datetime, tickets: int) -> None:
        self._views.count(dim, name, at, tickets)

    async def mix(self, queue: str, mix: Mix, at: datetime, tickets: int) -> None:
        self._views.count_mix(queue, mix, at, tickets)

    async def total(self, totals: Totals) -> None:
        self._views.set_totals(totals)

    async def position(self, position: PartitionPosition) -> None:
        self._views.set_position(position)

    async def feed(self, entry: FeedEntry, at: FeedId) -> None:
        await self._views.feed(entry, at)

    async def trim(self, keep: int) -> None:
        self._views.trim_feed(keep)


class RedisProjection:
    def __init__(self, client: Redis) -> None:
        self._redis: Any = client

    async def put(self, record: TicketRecord, human: HumanValues | None = None) -> None:
        ticket_id = record.ticket_id
        await self._redis.set(redis_keys.ticket(ticket_id), record.model_dump_json())
        if human is not None:
            await self._redis.set(redis_keys.human(ticket_id), human.model_dump_json())
        score = int(record.created_at.timestamp() * 1000)
        for name in (
            redis_keys.INDEX_ALL,
            redis_keys.index(Dimension.QUEUE, record.queue),
            redis_keys.index(Dimension.TOPIC, record.topic),
            redis_keys.index(Dimension.PRIORITY, record.priority or ""),
        ):
            await self._redis.zadd(name, {ticket_id: score})
        if record.decision != "applied":
            await self._redis.zadd(redis_keys.REVIEW, {ticket_id: record.doubt})

    async def expire(self, ticket_id: str) -> None:
        await self._redis.delete(redis_keys.ticket(ticket_id))

    async def count(self, dim: Dimension, name: str, at: datetime, tickets: int) -> None:
        await self._redis.sadd(redis_keys.series(dim), name)
        for grain in Grain:
            period, cell = cells(grain, at)
            key = redis_keys.load(grain, period, dim, name)
            await self._redis.bitfield(key).incrby("u32", f"#{cell}", tickets).execute()

    async def mix(self, queue: str, mix: Mix, at: datetime, tickets: int) -> None:
        await self._redis.sadd(redis_keys.mixes(queue), mix.member)
        period, cell = cells(Grain.DAY, at)
        key = redis_keys.mix(period, queue, mix.member)
        await self._redis.bitfield(key).incrby("u32", f"#{cell}", tickets).execute()

    async def total(self, totals: Totals) -> None:
        await self._redis.hset(redis_keys.TOTALS, mapping=totals.model_dump())

    async def position(self, position: PartitionPosition) -> None:
        fields = {"offset": position.offset, "source": position.source}
        key = redis_keys.position(position.topic, position.partition)
        await self._redis.hset(key, mapping={k: v for k, v in fields.items() if v is not None})

    async def feed(self, entry: FeedEntry, at: FeedId) -> None:
        await self._redis.xadd(redis_keys.FEED, {"data": entry.model_dump_json()}, id=str(at))

    async def trim(self, keep: int) -> None:
        await self._redis.xtrim(redis_keys.FEED, maxlen=keep, approximate=False)
