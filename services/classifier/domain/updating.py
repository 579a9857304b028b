"""What a second look makes of a label: a better topic, an earlier ticket alike, or nothing new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.events import Decision, LabelUpdated, ModelStamp, SimilarTicket, TicketLabelled

# Suggestions of an update; the rest is noise, and the first label has it all.
SUGGESTED: Final = 3
_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the experts say of one ticket.

    scores: shape (topics,), probabilities in the order of `topics`; thresholds: from which one on a
    topic is applied without a human.
    """

    topics: Sequence[str]
    scores: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    @property
    def best(self) -> int:
        """Place of the likeliest topic."""
        return int(self.scores.argmax())

    def applies(self, topic: str, probability: float) -> bool:
        """Whether so sure an answer is applied; of a topic unknown to the experts it is not."""
        return topic in self.topics and bool(
            probability >= self.thresholds[self.topics.index(topic)]
        )

    def leading(self) -> dict[str, float]:
        """The likeliest topics, the likeliest first."""
        order = np.argsort(-self.scores, kind="stable")[:SUGGESTED].tolist()
        return {self.topics[at]: round(float(self.scores[at]), _DECIMALS) for at in order}


def better(ticket: TicketLabelled, opinion: Opinion) -> Decision | None:
    """How the likeliest topic is to be taken where it is news; None where the label stands.

    News is another topic, or the same one now sure enough to be applied. What was sure enough at
    first only gives way to what is sure enough too.
    """
    topic = opinion.topics[opinion.best]
    sure = opinion.applies(topic, float(opinion.scores[opinion.best]))
    was_sure = ticket.decision == "applied" and opinion.applies(
        ticket.topic, ticket.topic_scores.get(ticket.topic, 0.0)
    )
    if topic == ticket.topic:
        return "applied" if sure and ticket.decision == "suggested" else None
    if was_sure and not sure:
        return None
    if ticket.decision == "shadow":
        return "shadow"
    return "applied" if sure else "suggested"


def update(
    ticket: TicketLabelled,
    opinion: Opinion | None,
    similar: Sequence[SimilarTicket],
    model: ModelStamp,
    at: datetime,
) -> LabelUpdated | None:
    """The record to write; None where there is nothing new. opinion: None where nobody asked."""
    decision = better(ticket, opinion) if opinion else None
    if decision is None and not similar:
        return None
    told = LabelUpdated(
        ticket_id=ticket.ticket_id,
        event_id=ticket.event_id,
        updated_at=at,
        decision=ticket.decision,
        similar=tuple(similar),
        model=model,
    )
    if decision is None or opinion is None:
        return told
    return told.model_copy(
        update={
            "topic": opinion.topics[opinion.best],
            "topic_scores": opinion.leading(),
            "decision": decision,
        }
    )
