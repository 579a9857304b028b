"""The projection: labels on a topic into windows, records, indices and the feed, exactly once."""

import asyncio
import random
import statistics
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer
from redis import Redis

from bench.engines.job import PRIORITIES, TOPICS
from bench.pairs import run_module
from bench.processes import cpu_seconds
from bench.row import Row, row
from bench.stores import Stores
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import LABELLED
from tests.builders import a_label

PARTITIONS = 12
QUEUES = 50


def rows(stores: Stores, *, quick: bool) -> list[Row]:
    """Tickets per second with minute, hour and day windows of queue, topic and priority."""
    count = 12_000 if quick else 120_000
    asyncio.run(_preload(stores.bootstrap, count))
    wall, client, server = [], [], []
    redis = Redis.from_url(stores.redis_url)
    for _ in range(1 if quick else 5):
        redis.flushdb()
        before = cpu_seconds(stores.valkey_pid) if stores.valkey_pid else 0.0
        arguments = [stores.bootstrap, stores.redis_url, str(count)]
        figures = run_module("bench.engines.projection", arguments)
        wall.append(count / figures["wall_seconds"])
        client.append(count / figures["cpu_seconds"])
        if stores.valkey_pid:
            server.append(count / (cpu_seconds(stores.valkey_pid) - before))
    redis.flushdb()
    found = [
        row("projection", statistics.median(wall), "tickets/s", at_least=25_000),
        row("projection, client", statistics.median(client), "tickets/CPU-s"),
    ]
    if server:
        found.append(row("projection, Valkey", statistics.median(server), "tickets/CPU-s"))
    return found


async def _preload(bootstrap: str, count: int) -> None:
    settings = KafkaSettings(bootstrap_servers=bootstrap, partitions=PARTITIONS)
    await create_topics(settings)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    dice = random.Random(7)
    now = datetime.now(UTC)
    for partition in range(PARTITIONS):
        batch = producer.create_batch()
        for offset in range(count // PARTITIONS):
            # Half an hour of arrivals, so that a batch meets several minutes, as in real life.
            at = now - timedelta(seconds=dice.uniform(0, 1_800))
            topic = dice.choice(TOPICS)
            label = a_label(
                offset,
                ticket_id=f"T-{partition}-{offset}",
                created_at=at,
                queue=f"Desk/Team {dice.randrange(QUEUES)}",
                topic=topic,
                topic_scores={name: 0.9 if name == topic else 0.0077 for name in TOPICS},
                priority=dice.choice(PRIORITIES),
                subject="VPN tunnel drops",
                body="x" * 120,
            )
            value = label.model_dump_json().encode()
            if batch.append(key=b"k", value=value, timestamp=None) is None:
                await (await producer.send_batch(batch, LABELLED.name, partition=partition))
                batch = producer.create_batch()
                batch.append(key=b"k", value=value, timestamp=None)
        await (await producer.send_batch(batch, LABELLED.name, partition=partition))
    await producer.stop()
