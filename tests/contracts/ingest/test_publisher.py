"""One contract for every Publisher: Kafka on a real broker, and the one in memory."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.ingest.adapters.kafka_publisher import KafkaPublisher
from services.ingest.adapters.publisher import InFlight, InMemoryPublisher, Kept, Publisher
from services.ingest.domain.admission import Message
from shared.errors import Unavailable
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, RECEIVED, Topic, partition_of

PARTITIONS = 12
Name = Callable[[str], str]


class PublisherContract(ABC):
    """What ingest relies on."""

    @pytest.fixture
    @abstractmethod
    def publisher(self) -> AsyncIterator[Publisher]:
        """A started publisher that takes up to 1,000 events at once."""

    @pytest.fixture
    @abstractmethod
    def unreachable(self) -> AsyncIterator[Publisher]:
        """A started publisher whose log does not answer."""

    @abstractmethod
    async def read(self, publisher: Publisher, topic: Topic, keys: set[str]) -> list[Kept]:
        """Every record of `topic` with one of `keys`, by partition, in order."""

    async def test_acknowledged_messages_are_there(
        self, publisher: Publisher, unique: Name
    ) -> None:
        messages = [Message(unique(f"t{n}"), b"value %d" % n) for n in range(100)]
        await publisher.publish(RECEIVED, messages)
        kept = await self.read(publisher, RECEIVED, {m.ticket_id for m in messages})
        assert {(r.key, r.value) for r in kept} == set(messages)
        assert len(kept) == 100

    async def test_a_tickets_partition_follows_from_its_id(
        self, publisher: Publisher, unique: Name
    ) -> None:
        key = unique("билет")
        await publisher.publish(RECEIVED, [Message(key, b"v")])
        [record] = await self.read(publisher, RECEIVED, {key})
        assert record.partition == partition_of(key, PARTITIONS)

    async def test_a_tickets_events_keep_their_order(
        self, publisher: Publisher, unique: Name
    ) -> None:
        key = unique("t")
        await publisher.publish(RECEIVED, [Message(key, b"%d" % n) for n in range(50)])
        await publisher.publish(RECEIVED, [Message(key, b"%d" % n) for n in range(50, 100)])
        kept = await self.read(publisher, RECEIVED, {key})
        assert [int(record.value) for record in kept] == list(range(100))

    async def test_concurrent_requests_all_arrive(self, publisher: Publisher, unique: Name) -> None:
        messages = [Message(unique(f"t{n}"), b"v") for n in range(300)]
        await asyncio.gather(*(publisher.publish(RECEIVED, [m]) for m in messages))
        kept = await self.read(publisher, RECEIVED, {m.ticket_id for m in messages})
        assert len(kept) == 300

    async def test_corrections_share_one_partition(
        self, publisher: Publisher, unique: Name
    ) -> None:
        messages = [Message(unique(f"t{n}"), b"%d" % n) for n in range(20)]
        await publisher.publish(CORRECTED, messages)
        kept = await self.read(publisher, CORRECTED, {m.ticket_id for m in messages})
        assert [(r.partition, int(r.value)) for r in kept] == [(0, n) for n in range(20)]

    async def test_more_than_may_be_in_flight_is_refused_whole(
        self, publisher: Publisher, unique: Name
    ) -> None:
        key = unique("t")
        with pytest.raises(Unavailable):
            await publisher.publish(RECEIVED, [Message(key, b"v")] * 1_001)
        await publisher.publish(RECEIVED, [Message(key, b"v")] * 1_000)
        assert len(await self.read(publisher, RECEIVED, {key})) == 1_000

    async def test_answers_its_check(self, publisher: Publisher) -> None:
        assert await publisher.check() is None

    async def test_an_unreachable_log_refuses_with_a_reason(self, unreachable: Publisher) -> None:
        with pytest.raises(Unavailable) as refused:
            await unreachable.publish(RECEIVED, [Message("t", b"v")])
        assert refused.value.retry_after > 0
        assert await unreachable.check()

    async def test_a_stopped_log_refuses(self, publisher: Publisher) -> None:
        await publisher.stop()
        with pytest.raises(Unavailable):
            await publisher.publish(RECEIVED, [Message("t", b"v")])


class TestInMemory(PublisherContract):
    @pytest.fixture
    async def publisher(self) -> AsyncIterator[Publisher]:
        log = InMemoryPublisher(PARTITIONS, InFlight(max_events=1_000, max_bytes=10**9))
        await log.start()
        yield log
        await log.stop()

    @pytest.fixture
    async def unreachable(self) -> AsyncIterator[Publisher]:
        log = InMemoryPublisher(PARTITIONS, outage="away")
        await log.start()
        yield log
        await log.stop()

    async def read(self, publisher: Publisher, topic: Topic, keys: set[str]) -> list[Kept]:
        assert isinstance(publisher, InMemoryPublisher)
        return [record for record in publisher.topics[topic.name] if record.key in keys]


def _die(reason: str) -> None:
    pytest.fail(f"the publisher wanted to end the process: {reason}")


@asynccontextmanager
async def _kafka(bootstrap: str, ack_timeout: float = 20.0) -> AsyncIterator[KafkaPublisher]:
    publisher = KafkaPublisher(
        KafkaSettings(bootstrap_servers=bootstrap, partitions=PARTITIONS),
        ack_timeout=ack_timeout,
        in_flight=InFlight(max_events=1_000, max_bytes=10**9),
        die=_die,
    )
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


@pytest.mark.integration
class TestKafka(PublisherContract):
    @pytest.fixture(autouse=True)
    async def bootstrap(self, kafka_bootstrap: str) -> AsyncIterator[None]:
        self.bootstrap_servers = kafka_bootstrap
        await create_topics(KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS))
        self.consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap)
        await self.consumer.start()
        # Other tests share the broker: only what comes from now on is looked at.
        self.starts = await self.consumer.end_offsets(_places(RECEIVED) + _places(CORRECTED))
        yield
        await self.consumer.stop()

    @pytest.fixture
    async def publisher(self, bootstrap: None) -> AsyncIterator[Publisher]:
        async with _kafka(self.bootstrap_servers) as publisher:
            yield publisher

    @pytest.fixture
    async def unreachable(self) -> AsyncIterator[Publisher]:
        with socket.socket() as bound:  # bound, not listening: nobody else can take the port
            bound.bind(("127.0.0.1", 0))
            async with _kafka(f"127.0.0.1:{bound.getsockname()[1]}", 0.2) as publisher:
                yield publisher

    async def read(self, publisher: Publisher, topic: Topic, keys: set[str]) -> list[Kept]:
        places = _places(topic)
        self.consumer.assign(places)
        for place in places:
            self.consumer.seek(place, self.starts[place])
        ends = await self.consumer.end_offsets(places)
        kept: list[Kept] = []
        while any([await self.consumer.position(place) < ends[place] for place in places]):
            for place, records in (await self.consumer.getmany(timeout_ms=1_000)).items():
                found = (r for r in records if r.key and r.key.decode() in keys)
                kept += (Kept(place.partition, r.key.decode(), r.value) for r in found)
        return kept


def _places(topic: Topic) -> list[TopicPartition]:
    return [TopicPartition(topic.name, p) for p in range(topic.partitions(PARTITIONS))]
