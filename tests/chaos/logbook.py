"""Whole topics: read from the first record to the last, written to, deleted and made anew."""

import asyncio
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code

from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import Topic

SECONDS = 60.0
LARGEST = 1_048_000
Ends = dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it lies on a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


async def ends(bootstrap: str, topics: list[Topic]) -> Ends:
    """The next offset of every partition of `topics`.

    Raises:
        KafkaError: a topic is not there.
    """
    places: list[TopicPartition] = []
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    async with asyncio.timeout(SECONDS):
        await admin.start()
        try:
            for described in await admin.describe_topics([topic.name for topic in topics]):
                if described["error_code"]:
                    raise for_code(described["error_code"])(described["topic"])
                numbers = [part["partition"] for part in described["partitions"]]
                places += (TopicPartition(described["topic"], number) for number in numbers)
        finally:
            await admin.close()
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as reader:
            found = await reader.end_offsets(places)
    return {(place.topic, place.partition): offset for place, offset in found.items()}


async def read(bootstrap: str, topic: Topic) -> dict[int, list[Entry]]:
    """Every record of `topic` by partition, in order, up to its end at the call."""
    end = await ends(bootstrap, [topic])
    entries: dict[int, list[Entry]] = {partition: [] for _, partition in end}
    left = {TopicPartition(*place) for place, offset in end.items() if offset}
    if not left:
        return entries
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as reader:
        reader.assign(left)
        for place in left:
            reader.seek(place, 0)
        while left:
            async with asyncio.timeout(SECONDS):
                found = await reader.getmany(*left, timeout_ms=1_000)
            for place, records in found.items():
                for record in records:
                    entry = Entry(place.partition, record.offset, record.key, record.value)
                    entries[place.partition].append(entry)
            left = {p for p in left if await reader.position(p) < end[p.topic, p.partition]}
    return entries


async def append(
    bootstrap: str, topic: Topic, values: list[bytes | None], partition: int, key: bytes
) -> list[int]:
    """Write straight onto a topic, past ingest; the offsets."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_request_size=LARGEST
    ) as writer:
        sent = [
            await writer.send(topic.name, value, key=key, partition=partition) for value in values
        ]
        return [(await each).offset for each in sent]


async def make_anew(bootstrap: str, topic: Topic, partitions: int) -> None:
    """Delete a topic and make it again, empty: what an operator does who wipes it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    async with asyncio.timeout(SECONDS):
        await admin.start()
        try:
            await admin.delete_topics([topic.name])
            while topic.name in await admin.list_topics():  # noqa: ASYNC110 - the broker's
                await asyncio.sleep(0.1)
        finally:
            await admin.close()
    await create_topics(KafkaSettings(bootstrap_servers=bootstrap, partitions=partitions))
