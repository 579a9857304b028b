"""The census counts from the topics: repeats once, skipped apart, nothing from before the start."""

from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.broker import LocalBroker
from deploy.local.verdict import Census, census, ends
from shared import topics
from shared.events import ModelStamp, TicketLabelled, TicketSkipped
from shared.provisioning import create_topics
from shared.settings import KafkaSettings

pytestmark = pytest.mark.integration
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def _labelled(src_offset: int) -> bytes:
    record = TicketLabelled(
        src_offset=src_offset,
        event_id=f"e{src_offset}",
        ticket_id=f"t{src_offset}",
        created_at=NOW,
        received_at=NOW,
        labelled_at=NOW,
        topic="vpn",
        topic_scores={"vpn": 1.0},
        model=ModelStamp(name="m", version="1", digest="d"),
    )
    return record.model_dump_json().encode()


async def test_counts_what_was_appended_since_the_start(broker: LocalBroker) -> None:
    address = broker.bootstrap_servers
    await create_topics(KafkaSettings(bootstrap_servers=address, partitions=3))
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:

        async def append(topic: topics.Topic, value: bytes, partition: int = 0) -> None:
            await producer.send_and_wait(topic.name, value, partition=partition)

        await append(topics.LABELLED, _labelled(0))
        await append(topics.PARKED, b"old")
        start = await ends(address)
        assert await census(address, start) == Census(0, 0, 0, 0)

        for source in range(1, 6):
            await append(topics.RECEIVED, b"{}", partition=1)
            await append(topics.LABELLED, _labelled(source), partition=1)
        await append(topics.LABELLED, _labelled(5), partition=1)  # a restarted worker repeats
        await append(topics.LABELLED, _labelled(5), partition=2)  # another partition's record
        skipped = TicketSkipped(src_offset=6, reason="poison").model_dump_json().encode()
        await append(topics.LABELLED, skipped, partition=1)
        await append(topics.LABELLED, b"no label", partition=1)
        await append(topics.PARKED, b"{}", partition=1)
    expected = Census(received=5, labelled=6, skipped=1, parked=1)
    assert await census(address, start) == expected
