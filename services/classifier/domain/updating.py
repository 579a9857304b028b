"""What a second look makes of a label: a better topic, an earlier ticket alike, or nothing new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import HeadScores
from services.classifier.domain.topic_tree import ancestors, back_off, threshold_of
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

    @property
    def answer(self) -> tuple[str, float]:
        """The likeliest topic, or the parent that is sure where it is not, and how likely it is."""
        [parent] = back_off(HeadScores(tuple(self.topics), self.scores[None]), self.thresholds)
        if parent is not None:
            return parent.topic, parent.probability
        return self.topics[self.best], float(self.scores[self.best])

    def applies(self, topic: str, probability: float) -> bool:
        """Whether so sure an answer is applied; of a topic unknown to the experts it is not."""
        return probability >= threshold_of(topic, tuple(self.topics), self.thresholds)

    def leading(self) -> dict[str, float]:
        """The answer where it is a parent, then the likeliest topics, the likeliest first."""
        order = np.argsort(-self.scores, kind="stable")[:SUGGESTED].tolist()
        answers = dict([self.answer]) | {self.topics[at]: float(self.scores[at]) for at in order}
        return {topic: round(score, _DECIMALS) for topic, score in answers.items()}


def better(ticket: TicketLabelled, opinion: Opinion) -> Decision | None:
    """How the likeliest topic is to be taken where it is news; None where the label stands.

    News is another topic, or the same one now sure enough to be applied. What was sure enough at
    first only gives way to what is sure enough too, and never to its own parent.
    """
    topic, probability = opinion.answer
    sure = opinion.applies(topic, probability)
    was_sure = ticket.decision == "applied" and opinion.applies(
        ticket.topic, ticket.topic_scores.get(ticket.topic, 0.0)
    )
    if topic == ticket.topic:
        return "applied" if sure and ticket.decision == "suggested" else None
    if was_sure and (not sure or topic in ancestors(ticket.topic)):
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
            "topic": opinion.answer[0],
            "topic_scores": opinion.leading(),
            "decision": decision,
        }
    )
