"""A worker of the intake as a process: writes {"so": offset} for each record of its source.

Arguments: bootstrap, source, target, group, milliseconds of work per chunk, HTTP port.
"""

import asyncio
import sys

import orjson

from shared import logs
from shared.http import create_service
from shared.settings import KafkaSettings
from shared.streaming import BatchProducer, Chunk, IntakeSettings, StreamWorker


class Echo:
    """A stage that copies offsets, with a pause in which it can be killed."""

    def __init__(self, producer: BatchProducer, target: str, pause: float) -> None:
        self._producer = producer
        self._target = target
        self._pause = pause

    async def prepare(self, chunk: Chunk) -> list[tuple[bytes | None, bytes]]:
        return [(r.key, orjson.dumps({"so": r.offset})) for r in chunk.records]

    async def deliver(self, chunk: Chunk, prepared: list[tuple[bytes | None, bytes]]) -> None:
        await asyncio.sleep(self._pause)
        await self._producer.send(self._target, chunk.partition.partition, prepared)


def main() -> None:
    bootstrap, source, target, group, milliseconds, port = sys.argv[1:]
    logs.configure("echo", "WARNING")
    kafka = KafkaSettings(bootstrap_servers=bootstrap)
    worker = StreamWorker(group, kafka)
    producer = BatchProducer(kafka)
    worker.add(producer)
    worker.consume(
        source,
        Echo(producer, target, int(milliseconds) / 1000),
        group=group,
        settings=IntakeSettings(max_records=100),
    )
    http = create_service(
        "echo", title="echo", description="", checks={"kafka": worker.kafka_ready}
    )
    worker.serve(http, "127.0.0.1", int(port))
    worker.run()


if __name__ == "__main__":
    main()
