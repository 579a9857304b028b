"""The forecaster's projection as a worker that ends when all of a topic is in Redis.

Arguments: BOOTSTRAP REDIS_URL COUNT. Reads tickets.labelled.v1 as it was preloaded.
"""

import sys
from typing import Any

from aiokafka import TopicPartition

from bench.engines.job import Stopwatch
from services.forecaster.adapters.read_side import RedisReadSide, connect
from services.forecaster.domain.projection.labels import Retention
from services.forecaster.handlers import LabelProjection
from shared.clock import utc_now
from shared.queues import QueueDirectory
from shared.settings import KafkaSettings, RedisSettings
from shared.streaming import BatchProducer, Chunk, IntakeSettings, StreamWorker
from shared.topics import LABELLED


class Timed:
    """The projection with the stopwatch around it."""

    def __init__(self, stage: LabelProjection, stopwatch: Stopwatch) -> None:
        self._stage = stage
        self._stopwatch = stopwatch

    async def prepare(self, chunk: Chunk) -> Any:
        self._stopwatch.begin()
        return await self._stage.prepare(chunk)

    async def deliver(self, chunk: Chunk, prepared: Any) -> None:
        await self._stage.deliver(chunk, prepared)
        self._stopwatch.delivered(len(chunk.records))


def main() -> None:
    bootstrap, redis_url, count = sys.argv[1:]
    kafka = KafkaSettings(bootstrap_servers=bootstrap)
    worker = StreamWorker("bench-projection", kafka)
    producer = BatchProducer(kafka)
    read_side = RedisReadSide(connect(RedisSettings(url=redis_url)))
    retention = Retention(30 * 86_400, 8 * 86_400, 10_000)
    stage = LabelProjection(read_side, producer, utc_now, QueueDirectory(), retention)

    async def start(tp: TopicPartition) -> int:
        return await stage.starting_point(tp.topic, tp.partition)

    worker.add(producer)
    worker.consume(
        LABELLED.name,
        Timed(stage, Stopwatch(int(count))),
        group="bench-projection",
        settings=IntakeSettings(),
        starting_point=start,
    )
    worker.run()


if __name__ == "__main__":
    main()
