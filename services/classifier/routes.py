"""The classifier's internal port: one ticket, labelled at once, for the gateway."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.classifier.domain.labelling import HeadScores, ticket_text
from services.classifier.inference import Inference
from services.classifier.learning import LearningLabeller
from shared.http import problems


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
    """Labels and every score, with the model that gave them."""

    topic: str
    topic_scores: dict[str, float]
    priority: str | None
    priority_scores: dict[str, float]
    model: str
    version: str
    digest: str


def router(inference: Inference) -> APIRouter:
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
        topic, topic_scores = _best(answer.topic)
        priority, priority_scores = _best(answer.priority) if answer.priority else (None, {})
        identity = inference.identity
        return Answer(
            topic=topic,
            topic_scores=topic_scores,
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
            probe_digest=fold.digest(),
            settled=learning.settled and learning.fold is fold,
            topics=[KnownTopic(name=n, description=d) for n, d in fold.topics.items()],
        )

    return routes


def _best(head: HeadScores) -> tuple[str, dict[str, float]]:
    row = head.probabilities[0]
    scores = {name: float(p) for name, p in zip(head.classes, row, strict=True)}
    return head.classes[int(row.argmax())], scores
