"""The classifier's internal port: one ticket, labelled at once, for the gateway."""

from math import isfinite
from typing import Annotated, Protocol

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.classifier.domain.judgement import Judgement
from services.classifier.domain.labelling import Labelling, ModelIdentity, ticket_text
from services.classifier.domain.records import priorities_of, topics_of
from services.classifier.domain.reporting import EPOCH, report
from services.classifier.domain.topic_tree import threshold_of
from services.classifier.inference import Inference
from services.classifier.learning import LearningLabeller
from shared.events import Decision
from shared.http import problems
from shared.quality import ExplainRequest, Explanations, QualityReport, Term


class Ticket(BaseModel):
    """A text to label; nothing of it is stored."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"subject": "VPN", "body": "The tunnel drops every few minutes."}]
        },
    )

    subject: str = Field(default="", max_length=1_000)
    body: str = Field(min_length=1, max_length=100_000)


class KnownTopic(BaseModel):
    """A topic the model can answer."""

    name: str
    description: str


class LearnedModel(BaseModel):
    """The model that serves, and what it learned from the correction log."""

    model: str
    version: str
    digest: str
    log_offset: int = Field(description="Next offset of tickets.corrected.v1.")
    corrections: int = Field(description="How many stand: learned and not taken back.")
    probe_digest: str = Field(
        description="Of the answers to fixed probes; equal in all workers at an equal offset."
    )
    settled: bool = Field(description="No refit is under way; the digest is final.")
    topics: list[KnownTopic]


class Answer(BaseModel):
    """What a ticket with this text would be labelled: every score, and the model that gave them.

    topic: a parent where it is sure and its leaf is not, with a score of its own. decision: what
    would become of the label: applied, suggested, or shadow where this deployment only watches.
    threshold: the topic's; null where nothing is applied.
    """

    topic: str
    topic_scores: dict[str, float]
    decision: Decision
    threshold: float | None
    priority: str | None
    priority_scores: dict[str, float]
    model: str
    version: str
    digest: str


class Judged(Protocol):
    """A model whose answers humans judge, or a hold-out did."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def judgement(self) -> Judgement: ...


class QualityQuery(BaseModel):
    """What to tell."""

    model_config = ConfigDict(extra="forbid")

    topic: str | None = Field(default=None, max_length=200)
    start: AwareDatetime = EPOCH
    end: AwareDatetime | None = None


def router(inference: Inference, *, shadow: bool = False) -> APIRouter:
    """Routes over `inference`."""
    routes = APIRouter(tags=["classification"])

    @routes.post(
        "/classify",
        summary="Label one ticket now",
        operation_id="classify",
        responses=problems.responses(422),
    )
    async def classify(ticket: Ticket) -> Answer:
        answer = await inference.label([ticket_text(ticket.subject, ticket.body)])
        [(topic, topic_scores, decision)] = topics_of(answer, shadow=shadow)
        [(priority, priority_scores)] = priorities_of(answer.priority, 1)
        identity = inference.identity
        return Answer(
            topic=topic,
            topic_scores=topic_scores,
            decision=decision,
            threshold=_threshold(answer, topic),
            priority=priority,
            priority_scores=priority_scores,
            model=identity.name,
            version=identity.version,
            digest=identity.digest,
        )

    return routes


def learning_router(learning: LearningLabeller) -> APIRouter:
    """Routes over a model that learns."""
    routes = APIRouter(tags=["classification"])

    @routes.get("/model", summary="What serves and what it learned", operation_id="model")
    def model() -> LearnedModel:
        fold, identity = learning.fold, learning.identity
        return LearnedModel(
            model=identity.name,
            version=identity.version,
            digest=identity.digest,
            log_offset=identity.log_offset,
            corrections=fold.corrections,
            probe_digest=learning.probe_digest(),
            settled=learning.settled and learning.fold is fold,
            topics=[KnownTopic(name=n, description=d) for n, d in fold.topics.items()],
        )

    @routes.post(
        "/explain",
        summary="Which words speak for a topic",
        operation_id="explain",
        responses=problems.responses(422),
    )
    def explain(page: ExplainRequest) -> Explanations:
        asked = [(ticket_text(each.subject, each.body), each.topic) for each in page.tickets]
        return Explanations(
            explanations=[
                None if words is None else [Term(term=word, weight=w) for word, w in words]
                for words in learning.explain(asked)
            ]
        )

    return routes


def quality_router(judged: Judged, *, shadow: bool = False) -> APIRouter:
    """Routes over what is known of the answers' quality."""
    routes = APIRouter(tags=["classification"])

    @routes.get(
        "/quality",
        summary="Prequential quality and the error budget",
        operation_id="quality",
        responses=problems.responses(422),
    )
    def quality(query: Annotated[QualityQuery, Query()]) -> QualityReport:
        wanted = query.model_dump()
        return report(judged.judgement, judged.identity, shadow=shadow, **wanted)

    return routes


def _threshold(answer: Labelling, topic: str) -> float | None:
    if answer.thresholds is None:
        return None
    found = threshold_of(topic, answer.topic.classes, answer.thresholds)
    return found if isfinite(found) else None
