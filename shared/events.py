"""One frozen model per record on a topic. Readers ignore fields that a newer writer added."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

Attribute = str | int | float | bool | None
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
# A queue is named by its path in the tree, from the root: "IT/Network/VPN".
QueuePath = Annotated[str, Field(min_length=1, max_length=200)]
Identifier = Annotated[str, Field(min_length=1, max_length=128)]


class Event(BaseModel):
    """Base of every record: immutable, tolerant of fields a newer writer added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Ticket(Event):
    """What a received ticket and its label both say of the ticket."""

    event_id: Identifier
    ticket_id: Identifier
    created_at: AwareDatetime
    received_at: AwareDatetime
    subject: str = ""
    body: str = ""
    requester: str = ""
    channel: str = "unknown"
    queue: QueuePath | None = None
    language: Language | None = None


class TicketReceived(Ticket):
    """tickets.received.v1: a ticket event, validated and masked. Key: ticket id."""

    attributes: dict[str, Attribute] = Field(default_factory=dict)


class ModelStamp(Event):
    """Which model gave a label, and the offset of the correction log it had folded."""

    name: str
    version: str
    digest: str
    log_offset: int = 0


# applied: sure enough for the topic's error budget; suggested: not; shadow: this deployment only
# watches, so nothing that the model says is to be acted on.
Decision = Literal["applied", "suggested", "shadow"]


class TicketLabelled(Ticket):
    """tickets.labelled.v1: what the classifier said of one received record. Key: ticket id."""

    kind: Literal["labelled"] = "labelled"
    src_offset: int = Field(ge=0)
    labelled_at: AwareDatetime
    topic: str
    topic_scores: dict[str, float]
    priority: str | None = None
    priority_scores: dict[str, float] = Field(default_factory=dict)
    decision: Decision = "applied"
    model: ModelStamp


class SimilarTicket(Event):
    """An earlier ticket that says nearly the same, in whatever language."""

    ticket_id: Identifier
    similarity: float = Field(ge=-1, le=1, description="cosine of the two encodings")


class LabelUpdated(Event):
    """tickets.labelled.v1: what the semantic worker found out later. Key: ticket id.

    It follows the label it improves on the same partition and is never counted: load stays with the
    first label. `topic` is None where the first label stands and only `similar` is news.
    """

    kind: Literal["updated"] = "updated"
    ticket_id: Identifier
    event_id: Identifier = Field(description="of the ticket event whose label this improves")
    updated_at: AwareDatetime
    topic: str | None = None
    topic_scores: dict[str, float] = Field(default_factory=dict)
    decision: Decision = "suggested"
    similar: tuple[SimilarTicket, ...] = ()
    model: ModelStamp


class TicketSkipped(Event):
    """tickets.labelled.v1: a parked source record, so that `src_offset` stays contiguous."""

    kind: Literal["skipped"] = "skipped"
    src_offset: int = Field(ge=0)
    reason: str


LabelEvent = TicketLabelled | LabelUpdated | TicketSkipped
LABEL_RECORD: TypeAdapter[LabelEvent] = TypeAdapter(
    Annotated[LabelEvent, Field(discriminator="kind")]
)


class TicketCorrected(Event):
    """tickets.corrected.v1: what a human set. Key: ticket id. Fields left out were not changed."""

    kind: Literal["correction"] = "correction"
    event_id: Identifier
    ticket_id: Identifier
    corrected_at: AwareDatetime
    received_at: AwareDatetime
    actor: str
    topic: str | None = None
    priority: str | None = None
    queue: QueuePath | None = None
    subject: str = ""
    body: str = ""


class TopicCreated(Event):
    """tickets.corrected.v1, control: a topic exists from here on, with or without examples."""

    kind: Literal["topic"] = "topic"
    event_id: Identifier
    received_at: AwareDatetime
    actor: str
    name: Annotated[str, Field(min_length=1, max_length=100)]
    description: str = ""


class CorrectionsUndone(Event):
    """tickets.corrected.v1, control: take back one correction, or all of one actor so far."""

    kind: Literal["undo"] = "undo"
    event_id: Identifier
    received_at: AwareDatetime
    actor: str
    correction: Identifier | None = Field(default=None, description="event id of the correction")
    corrector: str | None = Field(default=None, description="whose corrections are taken back")


class RefitDue(Event):
    """tickets.corrected.v1, control: corrections paused; every model fits itself anew here.

    In the log, not by each worker's clock, so that all of them refit from the same corrections.
    """

    kind: Literal["refit"] = "refit"
    event_id: Identifier
    received_at: AwareDatetime


class LearningReset(Event):
    """tickets.corrected.v1, control: forget every correction so far, back to the trained model."""

    kind: Literal["reset"] = "reset"
    event_id: Identifier
    received_at: AwareDatetime
    actor: str


class ModelPromoted(Event):
    """tickets.corrected.v1, control: from here on every worker answers from this trained model."""

    kind: Literal["promotion"] = "promotion"
    event_id: Identifier
    received_at: AwareDatetime
    actor: str
    version: str = Field(description="the name it was saved under, in the store of the models")
    digest: str
    log_offset: int = Field(ge=0, description="it was trained on the corrections before this one")


class ProposalDismissed(Event):
    """tickets.corrected.v1, control: an emerging topic that the radar need not propose again."""

    kind: Literal["dismissal"] = "dismissal"
    event_id: Identifier
    received_at: AwareDatetime
    actor: str
    proposal: Identifier


class WordsMet(Event):
    """tickets.corrected.v1, control: words of live tickets that no model has a vector of yet.

    In the log, not read by each worker as it meets them, so that all know the same words.
    """

    kind: Literal["words"] = "words"
    event_id: Identifier
    received_at: AwareDatetime
    words: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=40)], ...],
        Field(max_length=256, description="case-folded"),
    ]


CorrectionLogEvent = (
    TicketCorrected
    | TopicCreated
    | CorrectionsUndone
    | RefitDue
    | LearningReset
    | ModelPromoted
    | ProposalDismissed
    | WordsMet
)
CORRECTION_RECORD: TypeAdapter[CorrectionLogEvent] = TypeAdapter(
    Annotated[CorrectionLogEvent, Field(discriminator="kind")]
)


class RecordParked(Event):
    """tickets.parked.v1: a record nobody could process, whole, with the reason. Source's key."""

    kind: Literal["parked"] = "parked"
    source_topic: str
    source_partition: int
    source_offset: int
    parked_at: datetime
    reason: str
    detail: str
    key: str | None = Field(default=None, description="original key, base64")
    value: str | None = Field(
        default=None, description="original value, base64; absent if oversize"
    )
    size: int = Field(ge=0, description="bytes of the original value")


class RecordResolved(Event):
    """tickets.parked.v1: what became of a parked record. Key: the source's."""

    kind: Literal["resolved"] = "resolved"
    source_topic: str
    source_partition: int
    source_offset: int
    resolution: Literal["replayed", "discarded"]
    resolved_at: datetime


class AlertRaised(Event):
    """alerts.raised.v1: a surge of tickets began (open) or is over (closed). Key: alert id.

    Both records of an incident carry the same id, which follows from what surged and when it
    began: whoever finds the same surge again says the same thing. tickets and expected are sums
    from started_at on; requesters and peak (standard deviations) the highest of one hour.
    """

    alert_id: Identifier
    state: Literal["open", "closed"]
    surging: Literal["queue", "topic"] = Field(description="whose count left its profile")
    queue: QueuePath | None = Field(description="where most of it arrived; null for many queues")
    topic: str | None = Field(description="what most of it is about; null for many topics")
    started_at: AwareDatetime = Field(description="first moment of the first hour that surged")
    ended_at: AwareDatetime | None = Field(description="end of the last such hour, once closed")
    raised_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    tickets: int = Field(ge=0)
    expected: float
    requesters: int = Field(ge=0)
    peak: float
    examples: tuple[Identifier, ...] = Field(default=(), description="ids of tickets")

    @property
    def series(self) -> tuple[str, str]:
        """What surged: ("queue", path) or ("topic", name)."""
        return self.surging, (self.queue if self.surging == "queue" else self.topic) or ""


ParkingRecord = Annotated[RecordParked | RecordResolved, Field(discriminator="kind")]
PARKING_RECORD: TypeAdapter[RecordParked | RecordResolved] = TypeAdapter(ParkingRecord)
