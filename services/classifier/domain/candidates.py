"""In which order tickets get a second look, and which of them may be labelled anew by it."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.classifier.domain.selection import LeastSure
from shared.events import CorrectionLogEvent, TicketCorrected, TicketLabelled, TopicCreated

# Corrections that still say which topics the models are not good at.
_LATELY: Final = 50


class LatelyCorrected:
    """Topics that humans set or named in the latest fifty such records of the log."""

    def __init__(self) -> None:
        self._topics: deque[str] = deque(maxlen=_LATELY)

    def hear(self, events: Iterable[CorrectionLogEvent | None]) -> None:
        """Take the next records of the log."""
        for event in events:
            if isinstance(event, TicketCorrected) and event.topic is not None:
                self._topics.append(event.topic)
            elif isinstance(event, TopicCreated):
                self._topics.append(event.name)

    def __contains__(self, topic: object) -> bool:
        return topic in self._topics


@dataclass(frozen=True, slots=True)
class Order:
    """Tickets in the order of their worth; the first `candidates` may be labelled anew."""

    tickets: Sequence[TicketLabelled]
    candidates: int


class Candidates:
    """The least sure share first, then topics lately corrected, then all others.

    Others are only compared with recent tickets and shown to observers, where time is left.
    """

    def __init__(self, share: float, corrected: LatelyCorrected) -> None:
        self._least_sure = LeastSure(share)
        self._corrected = corrected

    def order(self, tickets: Sequence[TicketLabelled], *, everything: bool = False) -> Order:
        """`everything`: all are candidates, because the first labels are worth little yet."""
        sure = np.array([_confidence(ticket) for ticket in tickets], np.float32)
        first = self._least_sure.among(sure).tolist()
        taken = set(first)
        rest = [at for at in range(len(tickets)) if at not in taken]
        corrected = [at for at in rest if self._concerned(tickets[at])]
        taken.update(corrected)
        order = [*first, *corrected, *(at for at in rest if at not in taken)]
        count = len(order) if everything else len(taken)
        return Order([tickets[at] for at in order], count)

    def _concerned(self, ticket: TicketLabelled) -> bool:
        """Whether its label or the one it nearly got was lately corrected."""
        leading = sorted(ticket.topic_scores, key=ticket.topic_scores.__getitem__)[-2:]
        return any(topic in self._corrected for topic in (ticket.topic, *leading))


def _confidence(ticket: TicketLabelled) -> float:
    return ticket.topic_scores.get(ticket.topic, 0.0)
