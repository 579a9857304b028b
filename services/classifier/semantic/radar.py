"""Wires the radar into the semantic worker: its settings, its log, its snapshots, its routes."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.correction_log import Busy, CorrectionLog
from services.classifier.adapters.state_snapshots import StateSnapshots
from services.classifier.adapters.upkeep import Upkeep
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.radar.limits import RadarLimits
from services.classifier.emerging import (
    SNAPSHOT_BASE,
    SNAPSHOT_FORMAT,
    SNAPSHOT_PREFIX,
    EmergingTopics,
)
from services.classifier.models.encoding.carrier import IDENTITY
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.semantic.app import Extension
from services.classifier.semantic.proposals import proposals_router
from services.classifier.settings import ClassifierSettings
from shared.settings import KafkaSettings


class RadarSettings(BaseSettings):
    """RADAR_*: when a topic is worth proposing, and how long its tickets are remembered."""

    model_config = SettingsConfigDict(env_prefix="RADAR_", frozen=True)

    # Below three, single corrections would decide what becomes of a proposal.
    tickets: int = Field(default=8, ge=3)
    requesters: int = Field(default=3, ge=1, le=100)
    novelty: float = 3.0
    days: float = Field(default=14.0, gt=0)
    # 2 KB each, and up to 120 KB with their examples and phrases.
    clusters: int = Field(default=400, ge=10, le=5_000)
    save_seconds: float = Field(default=60.0, gt=0)

    @property
    def limits(self) -> RadarLimits:
        """As the radar takes them."""
        return RadarLimits(
            tickets=self.tickets,
            requesters=self.requesters,
            novelty=self.novelty,
            lifetime=timedelta(days=self.days),
            clusters=self.clusters,
        )


def radar_extension(
    settings: RadarSettings, classifier: ClassifierSettings, kafka: KafkaSettings, busy: Busy
) -> Extension:
    """What the semantic worker tells of its vectors; it reads the correction log by itself."""
    folder = classifier.snapshots or classifier.models / ".snapshots"
    encoder = DeferredEncoder()
    snapshots = StateSnapshots(
        LocalDirectory(folder), snapshot_prefix(encoder.identity), SNAPSHOT_BASE, SNAPSHOT_FORMAT
    )
    topics = EmergingTopics(snapshots, settings.limits, encoder.dimension)
    log = CorrectionLog(kafka, topics.resume, topics.apply, busy)
    upkeep = Upkeep(topics.save, settings.save_seconds)
    return Extension(topics, [proposals_router(topics)], [log, upkeep])


def snapshot_prefix(encoder: ModelIdentity) -> str:
    """Centres of clusters are vectors: each encoder has snapshots of its own."""
    if encoder.digest == IDENTITY.digest:
        return SNAPSHOT_PREFIX
    return f"{encoder.digest[:12]}-{SNAPSHOT_PREFIX}"
