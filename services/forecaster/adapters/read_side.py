"""The read side in Redis: positions and effects in one script, so that both hold or neither."""

import asyncio
import builtins
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
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
from shared.settings import RedisSettings

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
ANSWER_SECONDS = 5.0
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

    async def placed(self, corrections: Sequence[str]) -> Mapping[str, str]:
        """The tickets of these corrections, by event id, of those that are known."""
        ...

    async def corrected_by(self, actors: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The ids of all tickets that each of these corrected."""
        ...

    async def alerts(self, ids: Sequence[str]) -> Mapping[str, AlertRaised]:
        """What was told of these alerts."""
        ...

    async def mix_notes(self, most: int) -> list[bytes]:
        """The oldest notes that wait to be folded."""
        ...

    async def apply(
        self, topic: str, partition: int, expected: int, after: Position, what: Iterable[Command]
    ) -> int:
        """Apply if the partition stands at `expected`; answer the offset that holds afterwards."""
        ...

    async def apply_new(
        self,
        topic: str,
        partition: int,
        expected: int,
        after: Position,
        what: Iterable[Command],
        *,
        unseen: Collection[str],
    ) -> int | Mapping[str, Known]:
        """Like `apply` where all of the tickets `unseen` are new.

        Where some are not, nothing is applied and the answer is what is known of them.
        """
        ...


def connect(settings: RedisSettings) -> Redis:
    """A client for RedisReadSide, which bounds every call itself.

    redis-py's own time-out is a task per write and per read: a third of what a ticket costs.
    """
    return Redis.from_url(
        **settings.connection(), socket_timeout=None, socket_connect_timeout=ANSWER_SECONDS
    )


class RedisReadSide:
    """The ReadSide in Redis 6.2 or newer, or Valkey. No call waits for an answer for ever."""

    def __init__(self, redis: Redis, answer_seconds: float = ANSWER_SECONDS) -> None:
        # Any: redis-py types its answers for both decoding modes at once.
        self._redis: Any = redis
        self._answer_seconds = answer_seconds
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
            return [int(answer or 0) for answer in await self._bounded(pipeline.execute())]

    async def tickets(self, ids: Sequence[str]) -> Mapping[str, Known]:
        stored = await self._get([keys.ticket(ticket_id) for ticket_id in ids])
        return _present(ids, stored, _ticket)

    async def humans(self, ids: Sequence[str]) -> Mapping[str, HumanValues]:
        stored = await self._get([keys.human(ticket_id) for ticket_id in ids])
        return _present(ids, stored, HumanValues.model_validate_json)

    async def placed(self, corrections: Sequence[str]) -> Mapping[str, str]:
        stored = await self._get([keys.correction(event_id) for event_id in corrections])
        return _present(corrections, stored, bytes.decode)

    async def corrected_by(self, actors: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return {actor: await self._corrected_by(actor) for actor in actors}

    async def _corrected_by(self, actor: str) -> list[str]:
        key = keys.corrector(actor)
        ids = await self._patiently(lambda: self._redis.zrange(key, 0, -1))
        return [ticket_id.decode() for ticket_id in ids]

    async def alerts(self, ids: Sequence[str]) -> Mapping[str, AlertRaised]:
        stored = await self._get([keys.alert(alert_id) for alert_id in ids])
        return _present(ids, stored, AlertRaised.model_validate_json)

    async def mix_notes(self, most: int) -> list[bytes]:
        return list(await self._patiently(lambda: self._redis.lrange(keys.MIX_NOTES, 0, most - 1)))

    async def apply(
        self, topic: str, partition: int, expected: int, after: Position, what: Iterable[Command]
    ) -> int:
        return int(await self._apply(topic, partition, expected, after, what, ()))

    async def apply_new(
        self,
        topic: str,
        partition: int,
        expected: int,
        after: Position,
        what: Iterable[Command],
        *,
        unseen: Collection[str],
    ) -> int | Mapping[str, Known]:
        names = [keys.ticket(ticket_id) for ticket_id in unseen]
        answer = await self._apply(topic, partition, expected, after, what, names)
        return _present(unseen, answer, _ticket) if isinstance(answer, list) else int(answer)

    async def _apply(  # noqa: PLR0917 - private, and all of them are the script's
        self,
        topic: str,
        partition: int,
        expected: int,
        after: Position,
        what: Iterable[Command],
        absent: Sequence[str],
    ) -> Any:
        # One packed argument: redis-py spends half a microsecond on each, and there are thousands.
        packed = ormsgpack.packb(list(what))
        arguments: list[Any] = [expected, after.offset, after.source, packed]
        names = [keys.position(topic, partition), *absent]
        # An ambiguous time-out is settled by the same comparison: if it was applied, the second
        # call finds the position at `after` and answers just that.
        return await self._patiently(lambda: self._script(keys=names, args=arguments))

    async def trim(self, before_ms: int) -> None:
        """Take tickets created before `before_ms` off the indices; their records expire anyway."""
        names = [keys.INDEX_ALL]
        for dimension in ("queue", "topic", "priority"):
            members = await self._bounded(self._redis.smembers(keys.series(dimension)))
            names += [keys.index(dimension, member.decode()) for member in members]
        at = 0
        # The review is ordered by doubt, so what is old must be named.
        while old := await self._bounded(
            self._redis.zrangebyscore(
                keys.INDEX_ALL, "-inf", before_ms, start=at, num=TRIMMED_AT_ONCE
            )
        ):
            await self._bounded(self._redis.zrem(keys.REVIEW, *old))
            at += len(old)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.zremrangebyscore(name, "-inf", before_ms)
            await self._bounded(pipeline.execute())

    async def ready(self) -> str | None:
        """The readiness check: does Redis answer?"""
        try:
            await self._bounded(self._redis.ping())
        except PASSING as error:
            return f"Redis does not answer: {error}"
        return None

    async def _get(self, names: Sequence[str]) -> list[bytes | None]:
        if not names:
            return []
        found: list[bytes | None] = await self._patiently(lambda: self._redis.mget(names))
        return found

    async def _bounded(self, answer: Awaitable[Answer]) -> Answer:
        """The answer, or TimeoutError; redis-py closes a connection that was given up on."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                with _refusals():
                    return await answer
        except builtins.TimeoutError as error:
            raise TimeoutError(f"no answer within {self._answer_seconds:g} s") from error

    async def _patiently(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._bounded(call())
            except PASSING as error:
                metrics.REDIS_RETRIES.labels(type(error).__name__).inc()
                log.warning("Redis: %s; trying again", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _present(
    names: Iterable[str], stored: Iterable[bytes | None], read: Callable[[bytes], Answer]
) -> Mapping[str, Answer]:
    """What is stored under these names, read; a name that nothing is stored under is left out."""
    pairs = zip(names, stored, strict=True)
    return {name: read(value) for name, value in pairs if value is not None}


def _ticket(value: bytes) -> Known:
    return Known.of(TicketRecord.model_validate_json(value))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        if REFUSALS.search(str(error)):
            raise WritesRefused(str(error)) from error
        raise
