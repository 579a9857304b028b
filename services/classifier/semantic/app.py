"""Wires the semantic worker: labels in, the correction log, experts, updates out, internal port."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from mode import Service

from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.correction_log import Busy, CorrectionLog, LogSoFar
from services.classifier.adapters.promoted_models import PromotedModels, PromotionWatch
from services.classifier.adapters.serving_model import load_learner
from services.classifier.adapters.snapshots import Snapshots
from services.classifier.domain.candidates import Candidates
from services.classifier.domain.log_records import Place
from services.classifier.domain.observing import VectorObserver
from services.classifier.domain.pacing import Pace
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.semantic.neighbours import RecentTickets
from services.classifier.models.semantic.usual import UsualCentre
from services.classifier.semantic.learning import Expert, SemanticLearning
from services.classifier.semantic.looking import SecondLooks
from services.classifier.semantic.routes import router
from services.classifier.semantic.settings import SemanticSettings
from services.classifier.semantic.stage import SecondLookStage
from services.classifier.settings import ClassifierSettings
from shared.clock import Clock, monotonic
from shared.http import create_service
from shared.settings import KafkaSettings
from shared.streaming import BatchProducer, IntakeSettings, StreamWorker
from shared.topics import LABELLED


@dataclass(frozen=True, slots=True)
class Extension:
    """What else lives in this process: told of every vector, with routes and services of its own.

    services: started before the first ticket is looked at, in this order.
    """

    observer: VectorObserver
    routers: Sequence[APIRouter] = ()
    services: Sequence[Service] = ()


Extend = Callable[[Busy], Extension]


def create_worker(
    settings: SemanticSettings,
    classifier: ClassifierSettings,
    *,
    kafka: KafkaSettings,
    intake: IntakeSettings,
    model: FastLabeller,
    clock: Clock,
    extensions: Sequence[Extend] = (),
) -> StreamWorker:
    """The semantic worker, ready to `run`. Models and snapshots are where the classifier's are.

    extensions: made here, of what tells the watchdog that a long start is no standstill.
    """
    worker = StreamWorker(settings.group, kafka)
    encoder = DeferredEncoder()
    learning = _learning(classifier, model, worker, kafka, encoder)
    extended = [extend(worker.busy) for extend in extensions]
    recent = RecentTickets(settings.recent, encoder.dimension)
    looks = SecondLooks(
        lambda: learning.fold,
        recent,
        UsualCentre(encoder),
        [each.observer for each in extended],
        gather_seconds=settings.gather_seconds,
    )
    # The tickets it hung on are too old for a second look when the next process reads them.
    worker.watch(looks.silence, classifier.model_seconds, "a second look has not ended")
    producer = BatchProducer(kafka)
    stage = SecondLookStage(
        looks,
        Candidates(settings.share, learning.corrected),
        Pace(settings.cpu_share, settings.most_behind_seconds, monotonic),
        producer,
        clock,
        untaught=lambda: learning.untaught,
    )
    for service in [*(each for extension in extended for each in extension.services), producer]:
        worker.add(service)
    worker.consume(LABELLED.name, stage, group=settings.group, settings=intake)

    async def model_ready() -> str | None:
        unmet = learning.fold.unmet
        return unmet and f"answers from an earlier model, {unmet}"

    http = create_service(
        "semantic",
        title="Deskstream semantic worker",
        description="Looks again at labelled tickets; this port is internal.",
        checks={"kafka": worker.kafka_ready, "model": model_ready},
    )
    http.include_router(router(learning, recent, lambda: looks.cost.seconds_per_ticket))
    for extension in extended:
        for routes in extension.routers:
            http.include_router(routes)
    worker.serve(http, settings.host, settings.port)
    return worker


def _learning(
    settings: ClassifierSettings,
    trained: FastLabeller,
    worker: StreamWorker,
    kafka: KafkaSettings,
    encoder: Encoder,
) -> SemanticLearning:
    """The trained model with its experts, folding the correction log from the last snapshot on."""

    # Not the labeller: it would be kept for good beside the one that learns.
    identity = trained.identity

    def base() -> FastLabeller:
        return load_learner(settings.models, identity.version)

    folder: Path = settings.snapshots or settings.models / ".snapshots"
    models = PromotedModels(LocalDirectory(settings.models))
    expert = Expert(base, models, encoder)
    snapshots = Snapshots(
        LocalDirectory(folder), expert.begin, identity.digest, encoder, expert.promote
    )
    fold = Fold(expert.begin, trained, promoted=expert.promote)
    learning = SemanticLearning(fold, snapshots.save, expert, settings.precision_target)

    def begin(written: LogSoFar) -> Place:
        return learning.begin(snapshots.latest(written), written.end)

    worker.add(CorrectionLog(kafka, begin, learning.apply, worker.busy))
    worker.add(PromotionWatch(models, lambda: learning.fold.unmet))
    return learning
