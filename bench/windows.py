"""Windows of load in Redis: three years of hours and days of many queues, and what they take.

Made by the projection's own commands, so that they lie there as they would.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
from redis import Redis

from bench.emergency import arrivals_per_hour
from bench.row import Row, row
from services.forecaster.domain.forecasting.series import FloatArray
from services.forecaster.domain.projection.mixes import fold_commands
from services.forecaster.domain.projection.windows import window_commands
from shared import redis_keys
from shared.clock import utc_now
from shared.windows import Dimension, Grain, periods

WEEKS = 157
TOPICS, PRIORITIES = 12, 3
# Shapes of load that queues take turns with: making a thousand of them says nothing more.
SHAPES = 20


def memory(redis: Redis, queues: int, *, quick: bool) -> list[Row]:
    """Write the windows of so many queues, and what they are made of; the MiB that Redis takes."""
    before = _used(redis)
    first = _fill(redis, queues)
    basic = (_used(redis) - before) / 2**20
    before = _used(redis)
    for queue in range(queues):
        _mix(redis, f"queue {queue}", first)
    mixed = (_used(redis) - before) / 2**20
    what = f"{queues:,} queues, 3 years"
    return [
        row(f"Redis, hours and days of {what}", basic, "MiB", at_most=None if quick else 150.0),
        row(f"Redis, days of {TOPICS} topics x {PRIORITIES} priorities of {what}", mixed, "MiB"),
    ]


def _used(redis: Redis) -> int:
    information: dict[str, Any] = redis.info("memory")
    return int(information["used_memory"])


def _fill(redis: Redis, queues: int) -> datetime:
    """Windows begun as the projection begins them, then written whole; answers the first hour."""
    end = utc_now().replace(minute=0, second=0, microsecond=0)
    first = end - timedelta(hours=WEEKS * 168)
    shapes = [arrivals_per_hour(seed, WEEKS, 4.0).values for seed in range(SHAPES)]
    names = [(Dimension.QUEUE, f"queue {queue}") for queue in range(queues)]
    # The gateway reads all of the load by topics, which are fewer.
    names += [(Dimension.TOPIC, f"topic {topic}") for topic in range(SHAPES)]
    for number, (dimension, name) in enumerate(names):
        pipe = redis.pipeline(transaction=False)
        pipe.sadd(redis_keys.series(dimension), name)
        for grain in (Grain.HOUR, Grain.DAY):
            _write(pipe, grain, (dimension, name), first, shapes[number % SHAPES])
        pipe.execute()
    return first


def _write(
    pipe: Any, grain: Grain, series: tuple[Dimension, str], first: datetime, hours: FloatArray
) -> None:
    begin = datetime(first.year, 1, 1, tzinfo=UTC)
    padded = np.concatenate([np.zeros(int((first - begin).total_seconds()) // 3600), hours])
    padded = np.append(padded, np.zeros(-len(padded) % 24))
    values = padded if grain is Grain.HOUR else padded.reshape(-1, 24).sum(axis=1)
    end = begin + timedelta(hours=len(padded))
    for period, since, length in periods(grain, begin, end):
        at = int((since - begin).total_seconds()) // grain.seconds
        minute = int(since.timestamp()) // 60
        arrivals = {series: {minute: 0}}
        key = redis_keys.load(grain, period, *series)
        for command in window_commands(arrivals, 0, since + timedelta(days=1)):
            if command[1] == key:
                pipe.execute_command(*command)
        pipe.setrange(key, 0, values[at : at + length].astype(">u4").tobytes())


def _mix(redis: Any, queue: str, first: datetime) -> None:
    """Every combination on the first and the last day of each year: what lies between is zeros."""
    note = [
        [queue, f"topic {topic}", f"priority {priority}", day, 1]
        for topic in range(TOPICS)
        for priority in range(PRIORITIES)
        for year in range(first.year, first.year + 3)
        for day in (_day(year, 1, 1), _day(year, 12, 31))
    ]
    pipe = redis.pipeline(transaction=False)
    for command in fold_commands([orjson.dumps(note)]):
        if command[0] != "LTRIM":
            pipe.execute_command(*command)
    pipe.execute()


def _day(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) // 86_400
