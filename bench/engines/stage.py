"""Deskstream's own way: the intake, a Faust channel, and for `ticket` the classifier's stage."""

from bench.engines.job import Arguments, ConstantLabeller, Stopwatch
from services.classifier.domain.parking import ParkingLimit
from services.classifier.handlers import LabelStage
from services.classifier.inference import Inference
from shared.clock import utc_now
from shared.settings import KafkaSettings
from shared.streaming import BatchProducer, Chunk, IntakeSettings, StreamWorker
from shared.streaming.producer import Entry


class SmallStage:
    """The smallest stage there can be."""

    def __init__(self, arguments: Arguments, producer: BatchProducer) -> None:
        self._arguments = arguments
        self._producer = producer

    async def prepare(self, chunk: Chunk) -> list[Entry]:
        values = self._arguments.run([(r.offset, r.value) for r in chunk.records])
        return [(r.key, v) for r, v in zip(chunk.records, values, strict=True)]

    async def deliver(self, chunk: Chunk, prepared: list[Entry]) -> None:
        target, partition = self._arguments.target, chunk.partition.partition
        await self._producer.send(target, partition, prepared)


class Timed:
    """Another stage, with the stopwatch around it."""

    def __init__(self, stage: SmallStage | LabelStage, stopwatch: Stopwatch) -> None:
        self._stage = stage
        self._stopwatch = stopwatch

    async def prepare(self, chunk: Chunk) -> object:
        self._stopwatch.begin()
        return await self._stage.prepare(chunk)

    async def deliver(self, chunk: Chunk, prepared: object) -> None:
        await self._stage.deliver(chunk, prepared)  # type: ignore[arg-type]
        self._stopwatch.delivered(len(chunk.records))


class Redirected:
    """The stage's outbox, with the bench's target in place of tickets.labelled.v1."""

    def __init__(self, producer: BatchProducer, target: str) -> None:
        self._producer = producer
        self._target = target

    async def send(self, topic: str, partition: int, entries: list[Entry]) -> None:
        await self._producer.send(self._target, partition, entries)


def main() -> None:
    arguments = Arguments.read()
    kafka = KafkaSettings(bootstrap_servers=arguments.bootstrap)
    worker = StreamWorker(arguments.group, kafka)
    producer = BatchProducer(kafka)
    worker.add(producer)
    stage: SmallStage | LabelStage = SmallStage(arguments, producer)
    if arguments.job == "ticket":
        outbox = Redirected(producer, arguments.target)
        inference = Inference(ConstantLabeller())
        stage = LabelStage(inference, outbox, ParkingLimit(), utc_now)  # type: ignore[arg-type]
    timed = Timed(stage, Stopwatch(arguments.count))
    group, settings = arguments.group, IntakeSettings()
    worker.consume(arguments.source, timed, group=group, settings=settings)
    worker.run()


if __name__ == "__main__":
    main()
