"""What goes onto tickets.labelled.v1, as bytes."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import orjson
from numpy.typing import NDArray

from services.classifier.domain.decisions import decisions
from services.classifier.domain.decoding import Decoded
from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.domain.topic_tree import back_off
from shared.events import Decision
from shared.parking import Refused

# What a reader of a label needs of the text; the whole text stays on tickets.received.v1.
BODY_CHARACTERS = 4_000
SCORE_DECIMALS = 4


def labelled(
    tickets: Sequence[Decoded],
    labelling: Labelling,
    model: ModelIdentity,
    at: datetime,
    *,
    shadow: bool = False,
) -> Iterator[bytes]:
    """TicketLabelled as JSON, one per ticket; built by hand, since this is the hot path.

    tests/unit/classifier/domain/test_records.py reads each back as a TicketLabelled.
    """
    stamp = {
        "name": model.name,
        "version": model.version,
        "digest": model.digest,
        "log_offset": model.log_offset,
    }
    topics = topics_of(labelling, shadow=shadow)
    priorities = priorities_of(labelling.priority, len(tickets))
    for decoded, (topic, topic_scores, decision), (priority, priority_scores) in zip(
        tickets, topics, priorities, strict=True
    ):
        ticket = decoded.ticket
        yield orjson.dumps(
            {
                "kind": "labelled",
                "src_offset": decoded.offset,
                "event_id": ticket.event_id,
                "ticket_id": ticket.ticket_id,
                "created_at": ticket.created_at,
                "received_at": ticket.received_at,
                "labelled_at": at,
                "subject": ticket.subject,
                "body": ticket.body[:BODY_CHARACTERS],
                "requester": ticket.requester,
                "channel": ticket.channel,
                "queue": ticket.queue,
                "language": ticket.language,
                "topic": topic,
                "topic_scores": topic_scores,
                "priority": priority,
                "priority_scores": priority_scores,
                "decision": decision,
                "model": stamp,
            }
        )


def topics_of(
    labelling: Labelling, *, shadow: bool
) -> Iterator[tuple[str, dict[str, float], Decision]]:
    """Topic, every score, and how it is to be taken, of each ticket; of a parent that is sure where
    its leaf is not, the score comes last."""
    best = labelling.topic.probabilities.argmax(axis=1)
    decided = decisions(labelling, best, shadow=shadow)
    parents = back_off(labelling.topic, labelling.thresholds)
    answers = _answers(labelling.topic, best)
    for (topic, scores), decision, parent in zip(answers, decided, parents, strict=True):
        if parent is None:
            yield topic, scores, decision
        else:
            scores[parent.topic] = round(parent.probability, SCORE_DECIMALS)
            yield parent.topic, scores, "shadow" if shadow else "applied"


def priorities_of(
    head: HeadScores | None, count: int
) -> Iterator[tuple[str | None, dict[str, float]]]:
    """Priority and every score of each ticket; neither where the model was never shown one."""
    if head is None:
        yield from ((None, {}) for _ in range(count))
    else:
        yield from _answers(head, head.probabilities.argmax(axis=1))


def _answers(head: HeadScores, best: NDArray[np.int64]) -> Iterator[tuple[str, dict[str, float]]]:
    # Rounded as float64: a rounded float32 prints as 0.9319000244140625.
    rounded = np.round(head.probabilities.astype(np.float64), SCORE_DECIMALS)
    classes = head.classes
    for index, row in zip(best.tolist(), rounded, strict=True):
        # Row by row: the numbers of a whole chunk at once would not stay in the cache.
        yield classes[index], dict(zip(classes, row.tolist(), strict=True))


def skipped(refusal: Refused) -> bytes:
    """TicketSkipped as JSON: keeps src_offset contiguous where a record was parked."""
    return orjson.dumps({"kind": "skipped", "src_offset": refusal.offset, "reason": refusal.reason})
