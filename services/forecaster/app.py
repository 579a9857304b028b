"""Wires the forecaster: two intakes that start where Redis stands, upkeep, internal port."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from aiokafka import TopicPartition
from redis.asyncio import Redis

from services.forecaster.adapters.read_side import RedisReadSide
from services.forecaster.domain.projection import Retention
from services.forecaster.handlers import CorrectionProjection, LabelProjection
from services.forecaster.settings import ForecasterSettings
from services.forecaster.upkeep import Upkeep
from shared.clock import Clock
from shared.http import create_service
from shared.queues import QueueDirectory
from shared.settings import KafkaSettings, RedisSettings
from shared.streaming import BatchProducer, Intake, IntakeSettings, StreamWorker
from shared.topics import CORRECTED, LABELLED, Topic

DAY_SECONDS = 86_400
REDIS_SECONDS = 5.0


def create_worker(
    settings: ForecasterSettings,
    kafka: KafkaSettings,
    redis: RedisSettings,
    intake: IntakeSettings,
    clock: Clock,
) -> StreamWorker:
    """The forecaster as a worker that is ready to `run`."""
    worker = StreamWorker(settings.group, kafka.bootstrap_servers)
    client = Redis.from_url(
        redis.url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )
    read_side = RedisReadSide(client)
    producer = BatchProducer(kafka.bootstrap_servers)
    retention = Retention(
        ticket_seconds=settings.ticket_days * DAY_SECONDS,
        minute_seconds=settings.minute_days * DAY_SECONDS,
        feed_length=settings.feed_length,
    )
    directory = QueueDirectory.load(settings.queues_file)
    labels = LabelProjection(read_side, producer, clock, directory, retention)
    corrections = CorrectionProjection(read_side, producer, clock, retention)
    worker.add(producer)

    def consume(topic: Topic, stage: LabelProjection | CorrectionProjection) -> Intake:
        group = f"{settings.group}.{topic.name}"
        start = _starting_point(stage.starting_point)
        return worker.consume(topic.name, stage, group=group, settings=intake, starting_point=start)

    intakes = [consume(LABELLED, labels), consume(CORRECTED, corrections)]
    life = timedelta(days=settings.ticket_days)
    worker.add(Upkeep(read_side, intakes, clock, settings.compare_seconds, life))

    async def rebuilt() -> str | None:
        behind = sum(each.rebuilding for each in intakes)
        return f"rebuilding the read side: {behind} records to go" if behind else None

    checks = {"kafka": worker.kafka_ready, "redis": read_side.ready, "projection": rebuilt}
    http = create_service(
        "forecaster",
        title="Deskstream forecaster",
        description="Projects labels into Redis; this port is internal.",
        checks=checks,
    )
    worker.serve(http, settings.host, settings.port)
    return worker


def _starting_point(
    position: Callable[[str, int], Awaitable[int]],
) -> Callable[[TopicPartition], Awaitable[int]]:
    async def of(partition: Any) -> int:
        return await position(partition.topic, partition.partition)

    return of
