"""How good the labels are: what a classifier tells of itself and the gateway shows."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Told(BaseModel):
    """Base: readers tolerate what a newer classifier adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Figures(_Told):
    """Of some tickets that humans judged; null where there were none.

    Every answer was given before the model learned what the human said.
    """

    tickets: int = Field(ge=0)
    accuracy: float | None
    macro_f1: float | None
    majority_accuracy: float | None = Field(
        description="Of always naming the topic that was commonest among them: the baseline."
    )


class TopicReport(_Told):
    """One topic: how it was answered lately, and from which probability on it is applied."""

    topic: str
    tickets: int = Field(ge=0, description="Humans said so many of the window belong to it.")
    precision: float | None
    recall: float | None
    f1: float | None
    threshold: float | None = Field(
        description="Labels of at least this probability are `applied`, others `suggested`; null: "
        "nothing measured says that any may be applied."
    )
    evidence: Literal["own", "pooled", "none"] = Field(
        description="Whose tickets the threshold stands on: the topic's, all topics', nobody's."
    )
    measured_precision: float | None = Field(description="At or above the threshold.")
    precision_bound: float | None = Field(description="What is sure of it: Wilson's lower bound.")
    coverage: float = Field(ge=0, le=1, description="Share of its answers that is applied.")
    measured_tickets: int = Field(ge=0, description="Its answers that the measurement had.")


class HistoryPoint(_Told):
    """The window at one moment. f1: of the topic that was asked for, where it was among them."""

    at: AwareDatetime
    judged: int
    figures: Figures
    f1: float | None = None


class BatchReport(_Told):
    """Corrections that were learned together.

    before: on their own tickets, answered before any of them was learned; after: the same of the
    next batch, which this one had taught the model for; null while there is none.
    """

    at: AwareDatetime
    log_offset: int
    before: Figures
    after: Figures | None
    window: Figures


class DriftReport(_Told):
    """The error rate changed for good, as ADWIN noticed at this time."""

    at: AwareDatetime
    judged: int
    error_before: float
    error_after: float


class QualityReport(_Told):
    """Prequential quality and the error budget, as of an offset of the correction log."""

    model: str
    version: str
    log_offset: int
    judged: int = Field(description="Tickets judged in all.")
    window: Figures = Field(description="The latest judged tickets.")
    target_precision: float
    coverage: float = Field(description="Share of the measured labels that is applied.")
    shadow: bool = Field(description="This deployment only watches: nothing is applied.")
    topics: list[TopicReport]
    history: list[HistoryPoint]
    batches: list[BatchReport]
    drifts: list[DriftReport]


class Term(_Told):
    """A word of a ticket, and what it adds to the logit of the topic explained."""

    term: str
    weight: float


class TextToExplain(_Told):
    """A ticket's text and the topic in question."""

    subject: str = Field(default="", max_length=1_000)
    body: str = Field(default="", max_length=100_000)
    topic: str = Field(max_length=200)


class ExplainRequest(_Told):
    """A page of tickets."""

    tickets: list[TextToExplain] = Field(max_length=200)


class Explanations(_Told):
    """In the order asked; null for a topic that the model does not know."""

    explanations: list[list[Term] | None]
