"""The read side in Redis: positions and effects in one script, so that both hold or neither."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Protocol, TypeVar

import ormsgpack
from redis.asyncio import Redis
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,  # noqa: A004 - redis-py's name
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 - redis-py's name
)

from services.forecaster.domain.projection.commands import Command
from services.forecaster.domain.projection.labels import Known
from shared import metrics
from shared import redis_keys as keys
from shared.events import AlertRaised
from shared.read_model import HumanValues, TicketRecord

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class WritesRefused(ResponseError):
    """Redis takes no writes for now: its disk is full, or too few replicas are in sync."""


# Redis is away, restarting, full or a replica: all of these pass, and nothing was lost.
PASSING = (
    ConnectionError,
    TimeoutError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    WritesRefused,
)
# redis-py has no classes for these; a pipeline quotes the answer behind the command.
REFUSALS = re.compile(r"(?:^|\(')(?:MISCONF|NOREPLICAS) ")
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
TRIMMED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Position:
    """Where the projection of one partition stands: next offset, highest src_offset applied."""

    offset: int = 0
    source: int = -1


class ReadSide(Protocol):
    """What the projection needs of its sink. Every call waits until the sink answers."""

    async def position(self, topic: str, partition: int) -> Position:
        """Where the partition stands; the beginning if nothing is stored."""
        ...

    async def offsets(self, topic: str, partitions: Sequence[int]) -> list[int]:
        """The next offsets of several partitions; raises instead of waiting."""
        ...

    async def tickets(self, ids: Sequence[str]) -> Mapping[str, Known]:
        """What is known of these tickets."""
        ...

    async def humans(self, ids: Sequence[str]) -> Mapping[str, HumanValues]:
        """What humans set for these tickets."""
        ...

    async def alerts(self, ids: Sequence[str]) -> Mapping[str, AlertRaised]:
        """What was told of these alerts."""
        ...

    async def apply(
        self, topic: str, partition: int, expected: int, after: Position, what: Iterable[Command]
    ) -> int:
        """Apply if the partition stands at `expected`; answer the offset that holds afterwards."""
        ...


class RedisReadSide:
    """The ReadSide in Redis 6.2 or newer, or Valkey."""

    def __init__(self, redis: Redis) -> None:
        # Any: redis-py types its answers for both decoding modes at once.
        self._redis: Any = redis
        script = files(__package__).joinpath("apply.lua").read_text()
        self._script = redis.register_script(script)

    async def position(self, topic: str, partition: int) -> Position:
        key = keys.position(topic, partition)
        stored = await self._patiently(lambda: self._redis.hmget(key, ["offset", "source"]))
        if stored[0] is None:
            return Position()
        return Position(int(stored[0]), int(stored[1]))

    async def offsets(self, topic: str, partitions: Sequence[int]) -> list[int]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for partition in partitions:
                pipeline.hget(keys.position(topic, partition), "offset")
            return [int(answer or 0) for answer in await pipeline.execute()]

    async def tickets(self, ids: Sequence[str]) -> Mapping[str, Known]:
        stored = await self._get([keys.ticket(ticket_id) for ticket_id in ids])
        return {
            ticket_id: Known.of(TicketRecord.model_validate_json(value))
            for ticket_id, value in zip(ids, stored, strict=True)
            if value is not None
        }

    async def humans(self, ids: Sequence[str]) -> Mapping[str, HumanValues]:
        stored = await self._get([keys.human(ticket_id) for ticket_id in ids])
        return {
            ticket_id: HumanValues.model_validate_json(value)
            for ticket_id, value in zip(ids, stored, strict=True)
            if value is not None
        }

    async def alerts(self, ids: Sequence[str]) -> Mapping[str, AlertRaised]:
        stored = await self._get([keys.alert(alert_id) for alert_id in ids])
        return {
            alert_id: AlertRaised.model_validate_json(value)
            for alert_id, value in zip(ids, stored, strict=True)
            if value is not None
        }

    async def apply(
        self, topic: str, partition: int, expected: int, after: Position, what: Iterable[Command]
    ) -> int:
        # One packed argument: redis-py spends half a microsecond on each, and there are thousands.
        packed = ormsgpack.packb(list(what))
        arguments: list[Any] = [expected, after.offset, after.source, packed]
        key = keys.position(topic, partition)
        # An ambiguous time-out is settled by the same comparison: if it was applied, the second
        # call finds the position at `after` and answers just that.
        return int(await self._patiently(lambda: self._script(keys=[key], args=arguments)))

    async def trim(self, before_ms: int) -> None:
        """Take tickets created before `before_ms` off the indices; their records expire anyway."""
        names = [keys.INDEX_ALL]
        for dimension in ("queue", "topic", "priority"):
            members = await self._redis.smembers(keys.series(dimension))
            names += [keys.index(dimension, member.decode()) for member in members]
        at = 0
        # The review is ordered by doubt, so what is old must be named.
        while old := await self._redis.zrangebyscore(
            keys.INDEX_ALL, "-inf", before_ms, start=at, num=TRIMMED_AT_ONCE
        ):
            with _refusals():
                await self._redis.zrem(keys.REVIEW, *old)
            at += len(old)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.zremrangebyscore(name, "-inf", before_ms)
            with _refusals():
                await pipeline.execute()

    async def ready(self) -> str | None:
        """The readiness check: does Redis answer?"""
        try:
            await self._redis.ping()
        except PASSING as error:
            return f"Redis does not answer: {error}"
        return None

    async def _get(self, names: Sequence[str]) -> list[bytes | None]:
        if not names:
            return []
        found: list[bytes | None] = await self._patiently(lambda: self._redis.mget(names))
        return found

    async def _patiently(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        pause = FIRST_PAUSE
        while True:
            try:
                with _refusals():
                    return await call()
            except PASSING as error:
                metrics.REDIS_RETRIES.labels(type(error).__name__).inc()
                log.warning("Redis: %s; trying again", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        if REFUSALS.search(str(error)):
            raise WritesRefused(str(error)) from error
        raise
