"""Views over Redis: one round trip per question, every failure to answer becomes Unavailable."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from services.gateway.adapters.views import PartitionPosition, QueueMix
from services.gateway.domain.feed import BEGINNING, FeedBounds, FeedId, FeedItem
from services.gateway.domain.paging import Position
from services.gateway.domain.tickets import StoredTicket
from shared import redis_keys, topics
from shared.errors import Unavailable
from shared.mixes import Mix
from shared.read_model import FeedEntry, HumanValues, TicketRecord, Totals
from shared.settings import RedisSettings
from shared.topics import Topic
from shared.windows import Dimension, Grain

# A frozen Redis must turn into a 503 while the client still listens.
ANSWER_SECONDS = 3.0
FEED_FIELD = b"data"
# The order in which positions are listed.
PROJECTED = (topics.LABELLED, topics.CORRECTED)


def connect(settings: RedisSettings) -> Redis:
    """A client that has not connected yet. Two quick retries bridge a restarted connection."""
    return Redis.from_url(
        **settings.connection(),
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        protocol=2,
        retry=Retry(ExponentialBackoff(cap=0.1, base=0.02), 2),
        retry_on_error=[RedisConnectionError],
    )


class RedisViews:
    """Reads only, and only commands of Redis 6.2."""

    def __init__(self, client: Redis, partitions: int) -> None:
        self._redis: Any = client
        self._partitions = partitions

    async def ping(self) -> None:
        async with _answering():
            await self._redis.ping()

    async def sizes(self, indexes: Sequence[str]) -> list[int]:
        pipe = self._redis.pipeline(transaction=False)
        for name in indexes:
            pipe.zcard(name)
        return [int(reply) for reply in await _execute(pipe)]

    async def newest(
        self, indexes: Sequence[str], before: Position | None, count: int
    ) -> list[Position]:
        highest = "+inf" if before is None else before.score
        read = count
        while True:
            pipe = self._redis.pipeline(transaction=False)
            for name in indexes:
                pipe.zrevrangebyscore(name, highest, "-inf", start=0, num=read, withscores=True)
            columns = [_places(reply) for reply in await _execute(pipe)]
            # Below the last place of a column cut off by LIMIT that column may have more.
            cut = [column[-1] for column in columns if len(column) == read]
            reliable = max(cut) if cut else None
            union = {
                place
                for column in columns
                for place in column
                if (before is None or place < before) and (reliable is None or place >= reliable)
            }
            if union or not cut:
                return sorted(union, reverse=True)[:count]
            # All of it was tickets of the cursor's own millisecond that were listed already.
            read *= 4

    async def contained(self, ids: Sequence[str], indexes: Sequence[str]) -> list[bool]:
        pipe = self._redis.pipeline(transaction=False)
        for name in indexes:
            pipe.zmscore(name, list(ids))
        rows = await _execute(pipe)
        return [any(score is not None for score in column) for column in zip(*rows, strict=True)]

    async def tickets(self, ids: Sequence[str]) -> list[StoredTicket | None]:
        if not ids:
            return []
        keys = [redis_keys.ticket(i) for i in ids] + [redis_keys.human(i) for i in ids]
        async with _answering():
            raws = await self._redis.mget(keys)
        return [
            StoredTicket(
                TicketRecord.model_validate_json(record),
                HumanValues.model_validate_json(human) if human else None,
            )
            if record
            else None
            for record, human in zip(raws[: len(ids)], raws[len(ids) :], strict=True)
        ]

    async def series(self, dimension: Dimension) -> frozenset[str]:
        async with _answering():
            members = await self._redis.smembers(redis_keys.series(dimension))
        return frozenset(member.decode() for member in members)

    async def windows(
        self, grain: Grain, dimension: Dimension, names: Sequence[str], periods: Sequence[str]
    ) -> list[bytes | None]:
        return await self.strings(
            [redis_keys.load(grain, p, dimension, name) for name in names for p in periods]
        )

    async def mixes(self, queues: Sequence[str]) -> list[QueueMix]:
        pipe = self._redis.pipeline(transaction=False)
        for queue in queues:
            pipe.smembers(redis_keys.mixes(queue))
        return [
            (queue, Mix.of(member.decode()))
            for queue, members in zip(queues, await _execute(pipe), strict=True)
            for member in members
        ]

    async def mixed(self, mixes: Sequence[QueueMix], periods: Sequence[str]) -> list[bytes | None]:
        return await self.strings(
            [
                redis_keys.mix(period, queue, mix.member)
                for queue, mix in mixes
                for period in periods
            ]
        )

    async def strings(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        async with _answering():
            raws: list[bytes | None] = await self._redis.mget(keys)
        return raws

    async def totals(self) -> Totals:
        async with _answering():
            fields = await self._redis.hgetall(redis_keys.TOTALS)
        return Totals.model_validate({name.decode(): int(value) for name, value in fields.items()})

    async def positions(self) -> list[PartitionPosition]:
        # Asked one by one: a SCAN for the prefix would walk every ticket.
        wanted = [(t, p) for t in PROJECTED for p in range(t.partitions(self._partitions))]
        pipe = self._redis.pipeline(transaction=False)
        for topic, partition in wanted:
            pipe.hmget(redis_keys.position(topic.name, partition), "offset", "source")
        return [
            _position(topic, partition, *row)
            for (topic, partition), row in zip(wanted, await _execute(pipe), strict=True)
            if row[0] is not None
        ]

    async def feed_bounds(self) -> FeedBounds:
        pipe = self._redis.pipeline(transaction=False)
        pipe.xrange(redis_keys.FEED, count=1)
        pipe.xrevrange(redis_keys.FEED, count=1)
        oldest, newest = await _execute(pipe)
        if not newest:
            return FeedBounds(None, BEGINNING)
        return FeedBounds(_feed_id(oldest[0][0]), _feed_id(newest[0][0]))

    async def feed_latest(self) -> FeedItem | None:
        async with _answering():
            entries = await self._redis.xrevrange(redis_keys.FEED, count=1)
        return next((_feed_item(*entry) for entry in entries), None)

    async def feed_after(self, position: FeedId, count: int) -> list[FeedItem]:
        async with _answering():
            entries = await self._redis.xrange(redis_keys.FEED, f"({position}", "+", count)
        return [_feed_item(entry_id, fields) for entry_id, fields in entries]

    async def feed_wait(self, position: FeedId, seconds: float) -> list[FeedItem]:
        # Longer than the socket's own time-out would look like a Redis that hangs.
        block = int(min(seconds, ANSWER_SECONDS / 2) * 1000)
        async with _answering():
            answer = await self._redis.xread({redis_keys.FEED: str(position)}, 1000, block)
        return [_feed_item(*entry) for _, entries in answer for entry in entries]


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise Unavailable(f"Redis does not answer: {error or type(error).__name__}") from error


async def _execute(pipe: Any) -> list[Any]:
    async with _answering():
        replies: list[Any] = await pipe.execute()
    return replies


def _places(reply: Iterable[Any]) -> list[Position]:
    return [Position(int(float(score)), member) for member, score in reply]


def _position(
    topic: Topic, partition: int, offset: bytes, source: bytes | None
) -> PartitionPosition:
    seen = int(source) if source is not None else None
    return PartitionPosition(topic.name, partition, int(offset), seen)


def _feed_id(raw: bytes) -> FeedId:
    return FeedId.parse(raw.decode())


def _feed_item(entry_id: bytes, fields: dict[bytes, bytes]) -> FeedItem:
    raw = fields[FEED_FIELD].decode()
    return FeedItem(_feed_id(entry_id), FeedEntry.model_validate_json(raw), raw)
