"""A ticket as the gateway shows it: what the model said, overlaid by what a human set."""

from dataclasses import dataclass
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from shared.events import Decision, ModelStamp, SimilarTicket
from shared.quality import Term, TextToExplain
from shared.read_model import HumanValues, TicketRecord
from shared.windows import Dimension

Source = Literal["human", "model"]

# Others than ingest may write to the topics.
MOST_SUBJECT, MOST_BODY = 1_000, 4_000

EXAMPLE: dict[str, JsonValue] = {
    "ticket_id": "T-1042",
    "event_id": "0b9e4c1e-6d0c-4f0a-9f0e-2f4c8f5f7a11",
    "created_at": "2026-03-02T09:14:05Z",
    "updated_at": "2026-03-02T09:14:05Z",
    "received_at": "2026-03-02T09:14:05.213Z",
    "labelled_at": "2026-03-02T09:14:05.231Z",
    "subject": "VPN drops every ten minutes",
    "body": "Since this morning the tunnel closes and I have to sign in again.",
    "requester": "u-5f1d",
    "channel": "email",
    "language": "en",
    "topic": "vpn",
    "priority": "high",
    "queue": "IT/Network",
    "sources": {"topic": "model", "priority": "human", "queue": "model"},
    "topic_scores": {"vpn": 0.94, "wifi": 0.04, "password": 0.02},
    "priority_scores": {"high": 0.31, "normal": 0.58, "low": 0.11},
    "decision": "applied",
    "similar": [{"ticket_id": "T-977", "similarity": 0.83}],
    "model": {"name": "linear", "version": "3", "digest": "9c1f2ab4", "log_offset": 418},
    "why": [{"term": "vpn", "weight": 4.61}, {"term": "tunnel", "weight": 1.37}],
    "predicted": {"topic": "vpn", "priority": "normal", "queue": "IT/Network"},
    "human": {
        "priority": "high",
        "topic": None,
        "queue": None,
        "actor": "agent-7",
        "corrected_at": "2026-03-02T09:20:41Z",
    },
}


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """What Redis keeps of one ticket."""

    record: TicketRecord
    human: HumanValues | None = None

    def in_force(self, dimension: Dimension) -> str | None:
        """What a human set, else what the model said."""
        by_human = getattr(self.human, dimension) if self.human else None
        value: str | None = self.said(dimension) if by_human is None else by_human
        return value

    def said(self, dimension: Dimension) -> str | None:
        """What the model said; of the queue, where it was routed."""
        value: str | None = getattr(self.record, dimension)
        return value


def to_explain(stored: StoredTicket) -> TextToExplain:
    """What the model was shown of the ticket, and the topic that it gave."""
    record = stored.record
    return TextToExplain(
        subject=record.subject[:MOST_SUBJECT], body=record.body[:MOST_BODY], topic=record.topic
    )


class Sources(BaseModel):
    """Who set each of the three values in force."""

    topic: Source = "model"
    priority: Source = "model"
    queue: Source = Field(
        default="model",
        description="`model` also stands for the queue the ticket itself named when it came in.",
    )


class Predicted(BaseModel):
    """What would be in force had no human touched the ticket."""

    topic: str
    priority: str | None
    queue: str


class Human(BaseModel):
    """The latest values a human set; null where nobody set one."""

    topic: str | None
    priority: str | None
    queue: str | None
    actor: str
    corrected_at: AwareDatetime


class Ticket(BaseModel):
    """A ticket. `topic`, `priority` and `queue` are in force: a human's where one set them."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    ticket_id: str
    event_id: str
    created_at: AwareDatetime = Field(description="Of the ticket's first event.")
    updated_at: AwareDatetime = Field(description="Of the event shown, the latest.")
    received_at: AwareDatetime
    labelled_at: AwareDatetime
    subject: str
    body: str
    requester: str
    channel: str
    language: str | None
    topic: str = Field(description="In force; `sources.topic` says who set it.")
    priority: str | None = Field(description="In force; `sources.priority` says who set it.")
    queue: str = Field(description="In force; `sources.queue` says who set it.")
    sources: Sources
    topic_scores: dict[str, float] = Field(description="The model's probability of every topic.")
    priority_scores: dict[str, float] = Field(description="The same of every priority.")
    decision: Decision = Field(
        description="What the model's topic is good for: `applied` is sure enough for the topic's "
        "error budget, `suggested` awaits a human, `shadow` is only watched."
    )
    similar: tuple[SimilarTicket, ...] = Field(
        description="Earlier tickets that say nearly the same, in any language; never merged."
    )
    model: ModelStamp = Field(description="Which model gave the scores.")
    why: list[Term] | None = Field(
        description="The words that speak most for the model's topic, greatest first, by the model "
        "as it is now; null where no classifier that can tell answers in time."
    )
    predicted: Predicted
    human: Human | None


def overlay(stored: StoredTicket, why: list[Term] | None = None) -> Ticket:
    """The ticket with a human's values in force over the model's."""
    record, human = stored.record, stored.human
    set_by_human = [d for d in Dimension if human and getattr(human, d) is not None]
    return Ticket.model_validate(
        record.model_dump(include=set(Ticket.model_fields))
        | {dimension.value: stored.in_force(dimension) for dimension in Dimension}
        | {
            "sources": {dimension.value: "human" for dimension in set_by_human},
            "predicted": {dimension.value: stored.said(dimension) for dimension in Dimension},
            "human": human.model_dump() if human else None,
            "why": why,
        }
    )
