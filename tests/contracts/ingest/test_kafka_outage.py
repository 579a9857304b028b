"""Ingest's Kafka publisher while its broker is away: bounded refusals, then everything kept."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.broker import LocalBroker
from services.ingest.adapters.kafka_publisher import KafkaPublisher
from services.ingest.adapters.publisher import InFlight
from services.ingest.domain.admission import Message
from shared.errors import Unavailable
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import RECEIVED
from tests.deadlines import eventually

Condition = Callable[[], bool | Awaitable[bool]]
pytestmark = [pytest.mark.integration]


async def test_a_killed_broker_costs_no_acknowledged_event(broker: LocalBroker) -> None:
    deaths: list[str] = []
    in_flight = InFlight(max_events=1_000, max_bytes=10**9)
    publisher = KafkaPublisher(
        broker.bootstrap_servers,
        partitions=1,
        ack_timeout=0.5,
        in_flight=in_flight,
        die=deaths.append,
    )

    async def is_ready() -> bool:
        return await publisher.check() is None

    async def names_the_topics() -> bool:
        return "provisioning" in (await publisher.check() or "")

    ready: Condition = is_ready
    asks_for_topics: Condition = names_the_topics

    # Without topics ingest is up but not ready, and says what is missing.
    await publisher.start()
    with pytest.raises(Unavailable):
        await publisher.publish(RECEIVED, [Message("early", b"v")])
    await eventually(asks_for_topics)
    await create_topics(KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=1))
    await eventually(ready)

    await publisher.publish(RECEIVED, [Message("before", b"v")])
    broker.kill()
    refused = await asyncio.gather(
        *(publisher.publish(RECEIVED, [Message(f"during{n}", b"v")]) for n in range(20)),
        return_exceptions=True,
    )
    assert all(isinstance(error, Unavailable) for error in refused)
    assert await publisher.check()
    # Only what was handed to the producer is still held, not what waited behind it.
    assert in_flight.events <= 20

    broker.start()
    await eventually(ready)
    await publisher.publish(RECEIVED, [Message("after", b"v")])
    assert in_flight.events == 0
    assert not deaths
    await publisher.stop()
    keys = await _keys(broker.bootstrap_servers)
    assert keys[0] == "before"
    assert keys[-1] == "after"
    assert len(set(keys)) == len(keys)


async def _keys(bootstrap: str) -> list[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        place = TopicPartition(RECEIVED.name, 0)
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        keys: list[str] = []
        while len(keys) < end:
            for found in (await consumer.getmany(timeout_ms=1_000)).values():
                keys += (record.key.decode() for record in found)
        return keys
    finally:
        await consumer.stop()
