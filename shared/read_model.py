"""What the projection keeps in Redis and the gateway serves: records, feed entries, totals."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events import Decision, ModelStamp, SimilarTicket


class ReadModel(BaseModel):
    """Base: readers tolerate what a newer projection added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def doubt_of(confidence: float) -> int:
    """Millionths missing to certainty."""
    return round((1 - confidence) * 1_000_000)


class TicketRecord(ReadModel):
    """A ticket and its labels. `queue` is the one it counts for.

    created_at: of its first event, the one that was counted; updated_at: of the event shown.
    """

    ticket_id: str
    event_id: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    received_at: AwareDatetime
    labelled_at: AwareDatetime
    subject: str = ""
    body: str = ""
    requester: str = ""
    channel: str = "unknown"
    language: str | None = None
    queue: str
    topic: str
    topic_scores: dict[str, float]
    priority: str | None = None
    priority_scores: dict[str, float] = {}
    decision: Decision = "applied"
    similar: tuple[SimilarTicket, ...] = ()
    model: ModelStamp

    @property
    def doubt(self) -> int:
        """Place in the review list: millionths by which the topic is unsure."""
        return doubt_of(self.topic_scores.get(self.topic, 0.0))


class HumanWord(ReadModel):
    """What one correction set; None where it left the value alone."""

    event_id: str
    corrected_at: AwareDatetime
    actor: str
    topic: str | None = None
    priority: str | None = None
    queue: str | None = None


class HumanValues(ReadModel):
    """The latest values a human set for a ticket; None where nobody set one.

    words: the corrections that they come from, oldest first. One that is taken back leaves them,
    and the values are those of the rest.
    """

    ticket_id: str
    event_id: str
    corrected_at: AwareDatetime
    actor: str
    topic: str | None = None
    priority: str | None = None
    queue: str | None = None
    words: tuple[HumanWord, ...] = ()


class FeedEntry(ReadModel):
    """One label as the live feed shows it. `confidence` is the topic's probability."""

    ticket_id: str
    created_at: AwareDatetime
    queue: str
    topic: str
    confidence: float
    priority: str | None = None
    subject: str = ""


class Totals(ReadModel):
    """Counts since the projection began, kept in the same script as their effects.

    labelled = counted + updated + duplicates: a ticket's first event is counted, a later one
    updates the record, a repeated one changes nothing. improved counts what the semantic worker
    found out later; corrected and undone count corrections. gaps must stay 0.
    """

    labelled: int = 0
    counted: int = 0
    updated: int = 0
    duplicates: int = 0
    improved: int = 0
    skipped: int = 0
    gaps: int = 0
    corrected: int = 0
    undone: int = 0
