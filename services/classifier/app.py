"""Wires the classifier: intake, model, producer, internal port."""

from services.classifier.domain.labelling import Labeller
from services.classifier.domain.parking import ParkingLimit
from services.classifier.handlers import LabelStage
from services.classifier.inference import Inference
from services.classifier.routes import router
from services.classifier.settings import ClassifierSettings
from shared import metrics
from shared.clock import Clock
from shared.http import create_service
from shared.settings import KafkaSettings
from shared.streaming import BatchProducer, IntakeSettings, StreamWorker
from shared.topics import RECEIVED


def create_worker(
    settings: ClassifierSettings,
    kafka: KafkaSettings,
    intake: IntakeSettings,
    model: Labeller,
    clock: Clock,
) -> StreamWorker:
    """The classifier as a worker that is ready to `run`."""
    worker = StreamWorker(settings.group, kafka.bootstrap_servers)
    inference = Inference(model)
    producer = BatchProducer(kafka.bootstrap_servers)
    stage = LabelStage(inference, producer, ParkingLimit(settings.parking_share), clock)
    worker.add(producer)
    worker.consume(RECEIVED.name, stage, group=settings.group, settings=intake)
    identity = model.identity
    metrics.MODEL_INFO.labels(identity.name, identity.version, identity.digest).set(1)

    async def model_ready() -> str | None:
        return None  # a worker is only ever built with a model that was loaded and verified

    http = create_service(
        "classifier",
        title="Deskstream classifier",
        description="Labels tickets from Kafka; this port is internal.",
        checks={"kafka": worker.kafka_ready, "model": model_ready},
    )
    http.include_router(router(inference))
    worker.serve(http, settings.host, settings.port)
    return worker
