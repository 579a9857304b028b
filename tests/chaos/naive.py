"""The control: a projection as one would write it first, its position stored apart.

It counts what it reads and writes down how far it came once a second. The judge must find it
guilty after a SIGKILL, else the judge is blind.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from fastapi import FastAPI
from redis.asyncio import Redis

from services.forecaster.adapters.read_side import RedisReadSide
from services.forecaster.domain.projection import records
from services.forecaster.domain.projection.labels import Retention, project
from shared import redis_keys as keys
from shared.clock import utc_now
from shared.http import create_service
from shared.http.listening import run_http
from shared.queues import QueueDirectory
from shared.settings import KafkaSettings, RedisSettings
from shared.topics import LABELLED

RETENTION = Retention(30 * 86_400, 8 * 86_400, 10_000)
STORE_SECONDS = 1.0


async def project_for_ever() -> None:
    """Read, apply, and now and then say how far."""
    kafka = KafkaSettings()
    # Any: redis-py types its answers for both decoding modes at once.
    redis: Any = Redis.from_url(RedisSettings().url)
    read_side = RedisReadSide(redis)
    reader = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, enable_auto_commit=False)
    await reader.start()
    places = [TopicPartition(LABELLED.name, number) for number in range(kafka.partitions)]
    reader.assign(places)
    at = {}
    sources = dict.fromkeys(places, -1)
    for place in places:
        at[place] = (await read_side.position(place.topic, place.partition)).offset
        reader.seek(place, at[place])
    stored = time.monotonic()
    while True:
        for place, found in (await reader.getmany(timeout_ms=200, max_records=500)).items():
            batch = records.labels((r.offset, r.key, r.value) for r in found)
            projection = project(batch.events, -1, {}, QueueDirectory(), RETENTION)
            async with redis.pipeline(transaction=True) as pipeline:
                for command in projection.commands(RETENTION, utc_now()):
                    if command[:3] != ("HINCRBY", keys.TOTALS, "gaps"):
                        pipeline.execute_command(*command)
                await pipeline.execute()
            at[place] = found[-1].offset + 1
            sources[place] = projection.source
        if time.monotonic() - stored > STORE_SECONDS:
            stored = time.monotonic()
            for place, offset in at.items():
                name = keys.position(place.topic, place.partition)
                await redis.execute_command(
                    "HSET", name, "offset", offset, "source", sources[place]
                )


@asynccontextmanager
async def _running(_: FastAPI) -> AsyncIterator[None]:
    task = asyncio.create_task(project_for_ever())
    yield
    task.cancel()


def application() -> FastAPI:
    """The control with the health page that every service has."""
    return create_service(
        "naive", title="naive", description="a control", checks={}, lifespan=_running
    )


if __name__ == "__main__":
    run_http(application(), "127.0.0.1", int(os.environ["FORECASTER_PORT"]))
