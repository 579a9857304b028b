"""Surge alerts on a real broker and Valkey: one per incident, whatever is killed or lost."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from deploy.local.valkey import LocalValkey
from shared import redis_keys
from shared.clock import utc_now
from shared.events import AlertRaised
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import ALERTS, LABELLED, partition_of
from tests.builders import a_label
from tests.deadlines import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]

PARTITIONS = 2
WEEKS = 5
DEADLINE = 180.0


class Labels:
    """What a classifier would send: contiguous source offsets per partition."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._sources = [0] * PARTITIONS
        self.sent = 0

    async def send(self, *moments: datetime, topic: str = "vpn", queue: str = "IT") -> None:
        """A ticket per moment, each by a person of its own."""
        for at in moments:
            ticket_id = f"T-{self.sent}"
            partition = partition_of(ticket_id, PARTITIONS)
            label = a_label(
                self._sources[partition],
                ticket_id=ticket_id,
                event_id=f"e-{self.sent}",
                requester=f"person {self.sent}",
                created_at=at,
                received_at=at,
                labelled_at=at,
                topic=topic,
                queue=queue,
            )
            value = label.model_dump_json().encode()
            await self._producer.send(LABELLED.name, value, partition=partition)
            self._sources[partition] += 1
            self.sent += 1
        await self._producer.flush()


@pytest.fixture
async def labels(broker: LocalBroker) -> AsyncIterator[Labels]:
    address = broker.bootstrap_servers
    await create_topics(KafkaSettings(bootstrap_servers=address, partitions=PARTITIONS))
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    yield Labels(producer)
    await producer.stop()


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def forecaster(
    broker: LocalBroker, valkey: LocalValkey, port: int, tmp_path: Path
) -> Iterator[ChildProcess]:
    process = ChildProcess(
        "forecaster",
        [sys.executable, "-m", "services.forecaster"],
        log=tmp_path / "forecaster.log",
        environment={
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "REDIS_URL": valkey.url,
            "FORECASTER_PORT": str(port),
            "FORECASTER_SURGE_LOOK_SECONDS": "0.5",
        },
    )
    yield process
    process.stop()


@pytest.fixture
async def redis(valkey: LocalValkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as client:
        yield client


async def told(broker: LocalBroker) -> list[AlertRaised]:
    """Everything on alerts.raised.v1."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers)
    await consumer.start()
    try:
        place = TopicPartition(ALERTS.name, 0)
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        found: list[AlertRaised] = []
        while len(found) < end:
            record = await asyncio.wait_for(consumer.getone(), DEADLINE)
            found.append(AlertRaised.model_validate_json(record.value))
        return found
    finally:
        await consumer.stop()


async def test_one_alert_per_surge_though_all_is_killed_and_read_again(
    broker: LocalBroker,
    labels: Labels,
    forecaster: ChildProcess,
    redis: Redis,
    port: int,
) -> None:
    hour = utc_now().replace(minute=0, second=0, microsecond=0)
    past = [hour - timedelta(hours=back, minutes=-30) for back in range(WEEKS * 168, 0, -1)]
    await labels.send(*past)
    await labels.send(*past, topic="pay", queue="HR")
    # A surge that was over long before anybody watched.
    await labels.send(*[past[-72]] * 25)
    forecaster.start()

    async def counted() -> bool:
        answer = await redis.hget(redis_keys.TOTALS, "counted")
        return int(answer or 0) == labels.sent

    async def watched(incidents: int) -> bool:
        async with httpx.AsyncClient() as http:
            try:
                answer = await http.get(f"http://127.0.0.1:{port}/metrics")
            except httpx.TransportError:
                return False
        return f"deskstream_forecaster_open_alerts {float(incidents)}" in answer.text

    await eventually(counted, DEADLINE)
    now = utc_now()
    await labels.send(*[now] * 20)
    await eventually(lambda: watched(1), DEADLINE, what="the surge is seen")
    [alert] = await told(broker)
    assert (alert.state, alert.topic, alert.queue) == ("open", "vpn", "IT")
    assert alert.started_at == now.replace(minute=0, second=0, microsecond=0)
    assert (alert.tickets, alert.requesters) == (20, 20)
    assert {int(each.removeprefix("T-")) for each in alert.examples} <= set(
        range(labels.sent - 20, labels.sent)
    )

    async def stored() -> bool:
        return bool(await redis.zrange(redis_keys.ALERTS, 0, -1) == [alert.alert_id.encode()])

    await eventually(stored, DEADLINE, what="the alert is in Redis")
    forecaster.kill()
    forecaster.start()
    await eventually(lambda: watched(1), DEADLINE, what="the incident goes on after a restart")
    forecaster.kill()
    await redis.flushall()
    forecaster.start()
    await eventually(lambda: watched(1), DEADLINE, what="the incident goes on after a rebuild")
    assert await counted()
    assert await stored()
    assert await told(broker) == [alert]
