"""Ingest's Kafka publisher while its broker is away: bounded refusals, then everything kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

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


class Bench:
    """A publisher on a broker of its own, with what it holds and whom it would kill."""

    def __init__(self, broker: LocalBroker) -> None:
        self.broker = broker
        self.deaths: list[str] = []
        self.in_flight = InFlight(max_events=1_000, max_bytes=10**9)
        self.publisher = KafkaPublisher(
            KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=1),
            ack_timeout=0.5,
            in_flight=self.in_flight,
            die=self.deaths.append,
        )

    async def create_topics(self) -> None:
        bootstrap = self.broker.bootstrap_servers
        await create_topics(KafkaSettings(bootstrap_servers=bootstrap, partitions=1))

    async def publish(self, key: str) -> None:
        await self.publisher.publish(RECEIVED, [Message(key, b"v")])

    async def is_ready(self) -> bool:
        return await self.publisher.check() is None

    async def names_the_topics(self) -> bool:
        return "provisioning" in (await self.publisher.check() or "")


@pytest.fixture
async def bench(broker: LocalBroker) -> AsyncIterator[Bench]:
    bench = Bench(broker)
    yield bench
    await bench.publisher.stop()
    assert not bench.deaths


async def test_missing_topics_are_named_and_waited_for(bench: Bench) -> None:
    await bench.publisher.start()
    with pytest.raises(Unavailable):
        await bench.publish("early")
    named: Condition = bench.names_the_topics
    await eventually(named)
    await bench.create_topics()
    ready: Condition = bench.is_ready
    await eventually(ready)
    await bench.publish("late")
    assert await _keys(bench.broker.bootstrap_servers) == ["late"]


async def test_a_killed_broker_costs_no_acknowledged_event(bench: Bench) -> None:
    await bench.create_topics()
    await bench.publisher.start()
    await bench.publish("before")
    bench.broker.kill()
    refused = await asyncio.gather(
        *(bench.publish(f"during{n}") for n in range(20)), return_exceptions=True
    )
    assert all(isinstance(error, Unavailable) for error in refused)
    assert await bench.publisher.check()
    # Gave up before its batch was made: never sent, and no longer held.
    with pytest.raises(Unavailable):
        await bench.publish("behind")
    assert bench.in_flight.events == 20

    bench.broker.start()
    ready: Condition = bench.is_ready
    await eventually(ready)
    await bench.publish("after")
    assert bench.in_flight.events == 0
    keys = await _keys(bench.broker.bootstrap_servers)
    assert keys == ["before", *(f"during{n}" for n in range(20)), "after"]


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
