"""Wires the classifier: intake, model, corrections, producer, internal port."""

import logging
import socket
from pathlib import Path

from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.asked_texts import AskedTexts
from services.classifier.adapters.correction_log import CorrectionLog, LogSoFar
from services.classifier.adapters.met_words import MetWords
from services.classifier.adapters.promoted_models import PromotedModels, PromotionWatch
from services.classifier.adapters.serving_model import load_learner
from services.classifier.adapters.snapshots import Snapshots
from services.classifier.budgeting import FrozenLabeller, calibration_of
from services.classifier.domain.labelling import Labeller, ModelIdentity
from services.classifier.domain.log_records import Place
from services.classifier.domain.parking import ParkingLimit
from services.classifier.handlers import LabelStage
from services.classifier.inference import Asked, Inference, NotRemembered
from services.classifier.learning import LearningLabeller
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.routes import Judged, learning_router, quality_router, router
from services.classifier.settings import ClassifierSettings
from shared import metrics
from shared.clock import Clock
from shared.http import create_service
from shared.settings import KafkaSettings
from shared.streaming import BatchProducer, IntakeSettings, StreamWorker
from shared.topics import RECEIVED

log = logging.getLogger(__name__)


def create_worker(
    settings: ClassifierSettings,
    kafka: KafkaSettings,
    intake: IntakeSettings,
    model: Labeller,
    clock: Clock,
) -> StreamWorker:
    """The classifier as a worker that is ready to `run`."""
    worker = StreamWorker(settings.group, kafka)
    learning = None
    if isinstance(model, FastLabeller):
        # Before the intake: no ticket is labelled without the corrections made before the start.
        model = learning = _learning(settings, model, worker, kafka)
        judged: Judged = learning
    else:
        model = judged = FrozenLabeller(model, calibration_of(model), settings.precision_target)
    inference = Inference(model, _asked(settings, model.identity))
    worker.watch(inference.silence, settings.model_seconds, "the model has not answered")
    producer = BatchProducer(kafka)
    stage = LabelStage(
        inference, producer, ParkingLimit(settings.parking_share), clock, shadow=settings.shadow
    )
    worker.add(producer)
    if learning is not None:
        worker.add(MetWords(learning.take_met_words, producer, clock, settings.words_seconds))
    worker.consume(RECEIVED.name, stage, group=settings.group, settings=intake)
    identity = model.identity
    metrics.MODEL_INFO.labels(identity.name, identity.version, identity.digest).set(1)

    async def model_ready() -> str | None:
        # A worker is only ever built with a model that was loaded and verified; the log may
        # promote another one later.
        unmet = learning.fold.unmet if learning is not None else None
        return unmet and f"answers from an earlier model, {unmet}"

    http = create_service(
        "classifier",
        title="Deskstream classifier",
        description="Labels tickets from Kafka; this port is internal.",
        checks={"kafka": worker.kafka_ready, "model": model_ready},
    )
    http.include_router(router(inference, shadow=settings.shadow))
    http.include_router(quality_router(judged, shadow=settings.shadow))
    if learning is not None:
        http.include_router(learning_router(learning))
    worker.serve(http, settings.host, settings.port)
    return worker


def _learning(
    settings: ClassifierSettings, trained: FastLabeller, worker: StreamWorker, kafka: KafkaSettings
) -> LearningLabeller:
    """The trained model as one that folds the correction log, from its last snapshot on."""

    origin = trained.identity  # the closures must not hold on to `trained`, once it is replaced

    def base() -> FastLabeller:
        return load_learner(settings.models, origin.version)

    store = LocalDirectory(_kept(settings))
    models = PromotedModels(LocalDirectory(settings.models))
    snapshots = Snapshots(store, base, origin.digest, DeferredEncoder(), models)
    target = settings.precision_target
    learning = LearningLabeller(Fold(base, trained, promoted=models), snapshots.save, target)

    def begin(written: LogSoFar) -> Place:
        return learning.resume(snapshots.latest(written), written.end)

    worker.add(CorrectionLog(kafka, begin, learning.apply, worker.busy))
    worker.add(PromotionWatch(models, lambda: learning.fold.unmet))
    return learning


def _asked(settings: ClassifierSettings, model: ModelIdentity) -> Asked:
    """What former processes on this host and port left behind."""
    # Several workers may share the folder, each with a file of its own.
    path = _kept(settings) / f"asked-{socket.gethostname()}-{settings.port}"
    try:
        return AskedTexts(path, f"{model.name} {model.version}")
    except OSError as fault:
        log.warning("a ticket that ends the process will not be recognised: %s", fault)
        return NotRemembered()


def _kept(settings: ClassifierSettings) -> Path:
    """The folder of what outlives a process."""
    return settings.snapshots or settings.models / ".snapshots"
