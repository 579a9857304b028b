"""Redis as the forecaster's HTTP side sees it: strings, sets and hashes, all at once or not."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from redis.asyncio import Redis

from services.forecaster.adapters.read_side import PASSING
from shared.errors import Unavailable

# The sum of a thousand queues asks for all of them together; a client has 100 connections.
CALLS_AT_ONCE = 16


class Store(Protocol):
    """Every method raises Unavailable when Redis does not answer."""

    async def members(self, key: str) -> frozenset[str]:
        """The members of a set; empty where there is none."""
        ...

    async def strings(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of several keys, in their order."""
        ...

    async def slices(self, keys: Sequence[str], start: int, end: int) -> list[bytes]:
        """Bytes [start, end) of several strings, fewer where one ends before."""
        ...

    async def scored(self, key: str, low: int, high: int, most: int) -> list[str]:
        """At most `most` members of a sorted set whose score is in [low, high), ascending."""
        ...

    async def put(
        self, values: Mapping[str, bytes], seconds: int, drop: Sequence[str] = ()
    ) -> None:
        """Delete `drop`, then set all values to expire after `seconds`: all of it or nothing."""
        ...

    async def fields(self, key: str) -> dict[str, bytes]:
        """The fields of a hash; empty where there is none."""
        ...

    async def has_field(self, key: str, field: str) -> bool:
        """Whether a hash has a field."""
        ...

    async def set_field(self, key: str, field: str, value: bytes) -> None:
        """Set one field of a hash."""
        ...

    async def drop_fields(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields of a hash; answers how many there were."""
        ...


class RedisStore:
    """The Store in Redis 6.2 or newer, or Valkey."""

    def __init__(self, redis: Redis) -> None:
        # Any: redis-py types its answers for both decoding modes at once.
        self._redis: Any = redis
        self._calls = asyncio.Semaphore(CALLS_AT_ONCE)

    async def members(self, key: str) -> frozenset[str]:
        async with self._asking():
            return frozenset(member.decode() for member in await self._redis.smembers(key))

    async def strings(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        async with self._asking():
            found: list[bytes | None] = await self._redis.mget(keys)
        return found

    async def slices(self, keys: Sequence[str], start: int, end: int) -> list[bytes]:
        async with self._asking(), self._redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.getrange(key, start, end - 1)
            found: list[bytes] = await pipeline.execute()
        return found

    async def scored(self, key: str, low: int, high: int, most: int) -> list[str]:
        async with self._asking():
            found = await self._redis.zrangebyscore(key, low, f"({high}", start=0, num=most)
        return [member.decode() for member in found]

    async def put(
        self, values: Mapping[str, bytes], seconds: int, drop: Sequence[str] = ()
    ) -> None:
        async with self._asking(), self._redis.pipeline(transaction=True) as pipeline:
            if drop:
                pipeline.delete(*drop)
            for key, value in values.items():
                pipeline.set(key, value, ex=seconds)
            await pipeline.execute()

    async def fields(self, key: str) -> dict[str, bytes]:
        async with self._asking():
            found = await self._redis.hgetall(key)
        return {name.decode(): value for name, value in found.items()}

    async def has_field(self, key: str, field: str) -> bool:
        async with self._asking():
            return bool(await self._redis.hexists(key, field))

    async def set_field(self, key: str, field: str, value: bytes) -> None:
        async with self._asking():
            await self._redis.hset(key, field, value)

    async def drop_fields(self, key: str, fields: Sequence[str]) -> int:
        if not fields:
            return 0
        async with self._asking():
            return int(await self._redis.hdel(key, *fields))

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        async with self._calls:
            try:
                yield
            except PASSING as error:
                reason = error or type(error).__name__
                raise Unavailable(f"Redis does not answer: {reason}") from error
