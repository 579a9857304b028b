"""Gateway and forecaster over one real Redis, with a helpdesk's load of made-up years in it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
from redis.asyncio import Redis

from services.forecaster.adapters.store import RedisStore
from services.forecaster.app import create_port, create_services
from services.forecaster.settings import ForecasterSettings
from services.gateway.adapters.feed import Feed
from services.gateway.adapters.forecasts import HttpForecasts
from services.gateway.adapters.load_reader import LoadReader
from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.adapters.redis_views import RedisViews, connect
from services.gateway.app import create_app
from shared import redis_keys
from shared.mixes import Mix
from shared.queues import QueueDirectory
from shared.settings import RedisSettings
from shared.windows import Counts, Dimension, Grain, periods
from tests.unit.gateway.builders import TickingClock, ports

FIRST, TODAY = datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 10, 1, tzinfo=UTC)
NOW = datetime(2020, 10, 1, 9, 30, tzinfo=UTC)
IDS = {"IT": 1, "IT/Network": 2, "IT/Network/VPN": 3, "IT/Mail": 4, "HR": 5}
# Tickets per day of exactly each queue: IT itself has some, so that levels would count twice.
RATES = {"IT": 6.0, "IT/Network": 12.0, "IT/Network/VPN": 30.0, "IT/Mail": 20.0, "HR": 15.0}
DIRECTORY = QueueDirectory(ids=IDS)
_WEEK = np.array([1.4, 1.3, 1.2, 1.1, 1.0, 0.5, 0.5])


def hours_of(queue: str) -> Counts:
    """Tickets per hour from FIRST to NOW, always the same for a queue."""
    hours = int((NOW - FIRST).total_seconds() // 3600)
    at = np.arange(hours)
    weekday = (FIRST.weekday() + at // 24) % 7
    office = np.where((at % 24 >= 8) & (at % 24 < 18), 2.2, 0.15)
    rate = RATES[queue] / 24 * _WEEK[weekday] * office
    return np.random.default_rng(IDS[queue]).poisson(rate).astype(np.int64)


async def fill(redis: Redis) -> None:
    """Empty Redis, then put what the projection would have counted."""
    client: Any = redis
    await client.flushall()
    for queue in RATES:
        hours = hours_of(queue)
        await client.sadd(redis_keys.series(Dimension.QUEUE), queue)
        await client.sadd(redis_keys.series(Dimension.TOPIC), f"about {queue}")
        for grain, size in ((Grain.HOUR, 1), (Grain.DAY, 24)):
            padded = np.append(hours, np.zeros(-len(hours) % size, np.int64))
            values = padded.reshape(-1, size).sum(axis=1)
            for key, packed in _packed(values, grain):
                await client.set(redis_keys.load(grain, key, Dimension.QUEUE, queue), packed)
                topic = f"about {queue}"
                await client.set(redis_keys.load(grain, key, Dimension.TOPIC, topic), packed)
        await _fill_mixes(client, queue, hours)


async def _fill_mixes(client: Any, queue: str, hours: Counts) -> None:
    """Every fourth ticket of a day was urgent, the others had no priority."""
    padded = np.append(hours, np.zeros(-len(hours) % 24, np.int64))
    days = padded.reshape(-1, 24).sum(axis=1)
    for priority, counts in (("urgent", days // 4), ("", days - days // 4)):
        member = Mix(f"about {queue}", priority).member
        await client.sadd(redis_keys.mixes(queue), member)
        for year, packed in _packed(counts, Grain.DAY):
            await client.set(redis_keys.mix(year, queue, member), packed)


def _packed(values: Counts, grain: Grain) -> Iterator[tuple[str, bytes]]:
    at = 0
    for name, _, length in periods(grain, FIRST, NOW):
        yield name, values[at : at + length].astype(">u4").tobytes()
        at += length


@asynccontextmanager
async def running(url: str, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway; settings are the forecaster's."""
    async with connect(RedisSettings(url=url)) as client:
        services = create_services(
            ForecasterSettings(**settings), RedisStore(client), DIRECTORY, lambda: NOW
        )
        port = httpx.ASGITransport(create_port(services, {}), raise_app_exceptions=False)
        views = RedisViews(client, partitions=1)
        async with httpx.AsyncClient(transport=port) as internal:
            parts = replace(
                ports(MemoryViews()),
                views=views,
                load=LoadReader(views, DIRECTORY, lambda: NOW, TickingClock()),
                feed=Feed(views, buffer=10),
                forecasts=HttpForecasts("http://forecaster", internal),
            )
            outside = httpx.ASGITransport(create_app(parts), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=outside, base_url="http://gateway") as http:
                yield http


async def forecast(http: httpx.AsyncClient, **body: Any) -> Any:
    """Contract A's forecast of queue 3, or of what `body` says instead."""
    answer = await http.post("/api/forecast", json={"queue_id": 3} | body)
    assert answer.status_code == 200, answer.text
    return answer.json()
