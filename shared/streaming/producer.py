"""Idempotent batches to one partition, delivered in order or not at all."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiokafka import AIOKafkaProducer
from mode import Service

from shared.admission import expelled
from shared.errors import TooLarge
from shared.settings import KafkaSettings
from shared.streaming.watchdog import die

# (key, value) as they go onto the topic.
Entry = tuple[bytes | None, bytes]


class Outbox(Protocol):
    """Where a stage sends what it made."""

    async def send(self, topic: str, partition: int, entries: Iterable[Entry]) -> None:
        """Deliver `entries` in order; returns when all of them are durable."""
        ...


class BatchProducer(Service):  # type: ignore[misc]
    """Sends whole batches; ten times cheaper than a send per record.

    aiokafka repeats an idempotent send without end, so `send` returns only when every record is
    acknowledged: a caller that may not wait for ever bounds it.
    """

    def __init__(self, kafka: KafkaSettings, *, max_batch_bytes: int = 131072) -> None:
        super().__init__()
        self._kafka = kafka
        # Below the topics' max.message.bytes, which the broker applies to a whole batch.
        self._max_batch_bytes = max_batch_bytes

    async def on_start(self) -> None:
        self._producer = AIOKafkaProducer(
            **self._kafka.connection(),
            enable_idempotence=True,
            acks="all",
            max_batch_size=self._max_batch_bytes,
            request_timeout_ms=20_000,
            metadata_max_age_ms=15_000,
        )
        await self._producer.start()

    async def on_stop(self) -> None:
        await self._producer.stop()

    @Service.task  # type: ignore[untyped-decorator]
    async def _keep_access(self) -> None:
        # One of its clients speaks for a worker: all of them enter alike.
        if self._kafka.secured:
            die(await expelled(self._producer.client, self._kafka))

    async def send(self, topic: str, partition: int, entries: Iterable[Entry]) -> None:
        """Deliver `entries` in order. Raises KafkaError; the caller must then send nothing more.

        Raises TooLarge if one entry alone exceeds a batch.
        """
        if partition not in await self._producer.partitions_for(topic):
            # Added a moment ago: what the consumer knows is younger than what the producer knows.
            await self._producer.client.force_metadata_update()
        batch = self._producer.create_batch()
        batches = [batch]
        for key, value in entries:
            if batch.append(key=key, value=value, timestamp=None) is not None:
                continue
            batch.close()
            batch = self._producer.create_batch()
            batches.append(batch)
            if batch.append(key=key, value=value, timestamp=None) is None:
                raise TooLarge(f"a record of {len(value)} bytes does not fit into a batch")
        batch.close()
        acknowledged = [
            await self._producer.send_batch(full, topic, partition=partition)
            for full in batches
            if full.record_count()
        ]
        await asyncio.gather(*acknowledged)
