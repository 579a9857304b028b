"""Wires the forecaster: two intakes that start where Redis stands, upkeep, internal port."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from aiokafka import TopicPartition
from fastapi import FastAPI
from pydantic import ValidationError
from redis.asyncio import Redis

from services.forecaster.adapters.archive import ForecastArchive
from services.forecaster.adapters.datasets import Datasets
from services.forecaster.adapters.live_load import LiveLoad
from services.forecaster.adapters.read_side import ANSWER_SECONDS, RedisReadSide, connect
from services.forecaster.adapters.store import RedisStore, Store
from services.forecaster.adapters.surge_windows import SurgeWindows
from services.forecaster.calendars import Calendars, Place
from services.forecaster.dependencies import Services
from services.forecaster.domain.projection.labels import Retention
from services.forecaster.domain.surges.incidents import SurgeRule
from services.forecaster.folding import MixFolding
from services.forecaster.forecasting import Forecasting
from services.forecaster.handlers import AlertProjection, CorrectionProjection, LabelProjection
from services.forecaster.judging import Judging
from services.forecaster.publishing import Publishing
from services.forecaster.refit import Refit
from services.forecaster.routes import datasets as datasets_routes
from services.forecaster.routes import events, forecasts, models
from services.forecaster.settings import ForecasterSettings
from services.forecaster.staffing import StaffPlanning
from services.forecaster.surges import SurgeAlerts
from services.forecaster.upkeep import Upkeep
from shared.clock import Clock
from shared.errors import Misconfigured
from shared.http import Check, create_service
from shared.queues import QueueDirectory
from shared.settings import KafkaSettings, RedisSettings
from shared.streaming import BatchProducer, Intake, IntakeSettings, StreamWorker
from shared.streaming.producer import Outbox
from shared.topics import ALERTS, CORRECTED, LABELLED, Topic

DAY_SECONDS = 86_400
# Labels that are always under way; with more of them the hour under way is not what it seems.
FEW_RECORDS = 500


def create_worker(
    settings: ForecasterSettings,
    kafka: KafkaSettings,
    redis: RedisSettings,
    intake: IntakeSettings,
    clock: Clock,
) -> StreamWorker:
    """The forecaster as a worker that is ready to `run`."""
    worker = StreamWorker(settings.group, kafka)
    read_side = RedisReadSide(connect(redis))
    producer = BatchProducer(kafka)
    retention = Retention(
        ticket_seconds=settings.ticket_days * DAY_SECONDS,
        minute_seconds=settings.minute_days * DAY_SECONDS,
        feed_length=settings.feed_length,
    )
    directory = QueueDirectory.load(settings.queues_file)
    labels = LabelProjection(read_side, producer, clock, directory, retention)
    corrections = CorrectionProjection(read_side, producer, clock, retention)
    worker.add(producer)

    def consume(
        topic: Topic, stage: LabelProjection | CorrectionProjection | AlertProjection
    ) -> Intake:
        group = f"{settings.group}.{topic.name}"
        start = _starting_point(stage.starting_point)
        return worker.consume(topic.name, stage, group=group, settings=intake, starting_point=start)

    told = AlertProjection(read_side, producer, clock)
    intakes = [consume(LABELLED, labels), consume(CORRECTED, corrections), consume(ALERTS, told)]
    life = timedelta(days=settings.ticket_days)
    worker.add(MixFolding(read_side))
    worker.add(Upkeep(read_side, intakes, clock, settings.compare_seconds, life))

    async def rebuilt() -> str | None:
        behind = sum(each.rebuilding for each in intakes)
        return f"rebuilding the read side: {behind} records to go" if behind else None

    checks = {"kafka": worker.kafka_ready, "redis": read_side.ready, "projection": rebuilt}
    store = RedisStore(
        Redis.from_url(
            **redis.connection(),
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
        )
    )
    services = create_services(settings, store, directory, clock)

    async def behind() -> str | None:
        return await worker.kafka_ready() or await rebuilt()

    watched, alerts = intakes[0], intakes[-1]

    async def not_to_refit() -> str | None:
        """What one forecaster does for all is done by the owner of the alerts' one partition."""
        return await behind() if alerts.assigned else "another forecaster refits"

    async def not_to_judge() -> str | None:
        """Judging needs all labels."""
        if alerts.lag != 0:
            return "another forecaster watches, or the alerts are not read yet"
        if watched.lag is None or watched.lag > FEW_RECORDS:
            return "labels are still to be counted"
        return await behind()

    worker.add(Refit(services.publishing, not_to_refit))
    worker.add(
        create_surge_alerts(settings, services, store, producer, clock, not_ready=not_to_judge)
    )
    worker.serve(create_port(services, checks), settings.host, settings.port)
    return worker


def create_surge_alerts(
    settings: ForecasterSettings,
    services: Services,
    store: Store,
    outbox: Outbox,
    clock: Clock,
    *,
    not_ready: Callable[[], Awaitable[str | None]],
) -> SurgeAlerts:
    """The watch for surges over the same windows and calendars that forecasts are made from."""
    rule = SurgeRule(
        threshold=settings.surge_threshold,
        min_tickets=settings.surge_min_tickets,
        min_requesters=settings.surge_min_requesters,
    )
    return SurgeAlerts(
        SurgeWindows(store),
        outbox,
        _calendars(settings),
        clock,
        not_ready=not_ready,
        off_loop=services.forecasting.off_loop,
        rule=rule,
        fresh_hours=settings.surge_fresh_hours,
        look_seconds=settings.surge_look_seconds,
    )


def create_services(
    settings: ForecasterSettings, store: Store, directory: QueueDirectory, clock: Clock
) -> Services:
    """What the internal port answers with. Raises Misconfigured for a place nobody knows."""
    datasets = Datasets(store, clock, settings.dataset_days * DAY_SECONDS)
    live = LiveLoad(store, directory, clock)
    forecasting = Forecasting(store, live, datasets, _calendars(settings), clock)
    judging = Judging(forecasting, clock)
    archive = ForecastArchive(store, settings.published_days)
    return Services(
        forecasting=forecasting,
        judging=judging,
        datasets=datasets,
        publishing=Publishing(forecasting, live, archive, judging, settings.judged_a_day),
        staffing=StaffPlanning(forecasting),
        max_upload_bytes=settings.max_upload_bytes,
    )


def _calendars(settings: ForecasterSettings) -> Calendars:
    try:
        rest = Place(timezone=settings.timezone, country=settings.country)
    except ValidationError as error:
        reasons = "; ".join(each["msg"] for each in error.errors())
        raise Misconfigured(f"FORECASTER_TIMEZONE, FORECASTER_COUNTRY: {reasons}") from error
    return Calendars(rest, settings.places)


def create_port(services: Services, checks: Mapping[str, Check]) -> FastAPI:
    """The internal port."""
    http = create_service(
        "forecaster",
        title="Deskstream forecaster",
        description="Projects labels into Redis and forecasts load; this port is internal.",
        checks=checks,
    )
    http.state.services = services
    for routes in (forecasts, models, datasets_routes, events):
        http.include_router(routes.router)
    return http


def _starting_point(
    position: Callable[[str, int], Awaitable[int]],
) -> Callable[[TopicPartition], Awaitable[int]]:
    async def of(partition: Any) -> int:
        return await position(partition.topic, partition.partition)

    return of
