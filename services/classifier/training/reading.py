"""What one reading of the logs leaves in memory, however long they are."""

import heapq
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.classifier.domain.labelling import ticket_text
from services.classifier.domain.ledger import MOST, Correction, Ledger
from services.classifier.models.fast.untrained import UNSORTED
from shared.events import (
    CorrectionLogEvent,
    CorrectionsUndone,
    LabelEvent,
    LabelUpdated,
    LearningReset,
    ModelPromoted,
    TicketCorrected,
    TicketLabelled,
    TopicCreated,
)

HEADS = ("topic", "priority")


class Answer(NamedTuple):
    """What a model said, and how likely it thought it."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What a human said of a ticket, and still stands. values: by head; none for a mere queue."""

    ticket_id: str
    text: str
    values: Mapping[str, str]
    offset: int
    at: datetime


@dataclass(slots=True)
class Served:
    """A ticket as it was labelled. answers: by head."""

    text: str
    at: datetime
    answers: dict[str, Answer]


class CorrectionsRead:
    """The correction log up to its end: decisions, topics and promotions that are in force."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.topics: dict[str, str] = {}
        self.promotions: list[ModelPromoted] = []
        self.end = 0
        self._forgotten = 0
        self._where: dict[int, tuple[str, datetime]] = {}

    def add(self, offset: int, event: CorrectionLogEvent | None) -> None:
        """The next record; None for an unreadable one. What counts is what a Fold counts."""
        self.end = offset + 1
        match event:
            case TicketCorrected():
                if self.ledger.add(event, offset) is not None:
                    self._where[offset] = event.ticket_id, event.received_at
                if len(self._where) > 2 * MOST:
                    self._where = {each.offset: self._where[each.offset] for each in self._known()}
            case TopicCreated(name=name, description=description):
                self.topics[name] = description
            case CorrectionsUndone(correction=event_id, corrector=actor):
                self.ledger.undo(event_id, actor)
            case LearningReset(event_id=event_id):
                self._reset(event_id)
            case ModelPromoted(event_id=event_id):
                if self.ledger.hear(event_id) and not 0 < event.log_offset < self._forgotten:
                    self.promotions.append(event)

    def decisions(self, since: datetime | None = None) -> list[Decision]:
        """Standing decisions of tickets with a text, in the order of the log."""
        found = []
        for each in self._known():
            ticket_id, at = self._where[each.offset]
            values = {name: said for name in HEADS if (said := getattr(each, name)) is not None}
            if each.text and values and (since is None or at >= since):
                found.append(Decision(ticket_id, each.text, values, each.offset, at))
        return found

    def ledger_before(self, offset: int) -> Ledger:
        """A ledger of what still stands of the log before `offset`."""
        standing = self.ledger.standing()
        return Ledger(standing={str(e.offset): e for e in standing if e.offset < offset})

    def _known(self) -> list[Correction]:
        return [each for each in self.ledger.standing() if each.offset in self._where]

    def _reset(self, event_id: str) -> None:
        if self.ledger.hear(event_id):
            self.ledger = Ledger()
            self.ledger.hear(event_id)
            self.topics.clear()
            self._where.clear()
            self._forgotten = self.end


@dataclass(slots=True)
class Expected:
    """How many labels there were, and how many of them their models expected to be right."""

    labels: int = 0
    right: float = 0.0


class Sample:
    """At most so many tickets, chosen by their ids alone, so that every reading chooses the same.

    (Bottom-k sampling: those whose hash is smallest.)
    """

    def __init__(self, most: int, seed: int) -> None:
        self._most = most
        self._seed = seed
        self._kept: dict[str, Served] = {}
        self._order: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._kept)

    def offer(self, ticket_id: str, ticket: Served) -> None:
        """Keep the ticket, or not; of two with one id the first stays."""
        if ticket_id in self._kept:
            return
        place = (-zlib.crc32(f"{self._seed}:{ticket_id}".encode("utf-8", "replace")), ticket_id)
        if len(self._kept) >= self._most and place <= self._order[0]:
            return
        self._kept[ticket_id] = ticket
        heapq.heappush(self._order, place)
        if len(self._kept) > self._most:
            del self._kept[heapq.heappop(self._order)[1]]

    def get(self, ticket_id: str) -> Served | None:
        """The ticket, if it was kept."""
        return self._kept.get(ticket_id)

    def tickets(self) -> list[Served]:
        """Those that were kept, in the order of their ids."""
        return [self._kept[ticket_id] for ticket_id in sorted(self._kept)]


@dataclass
class LabelsRead:
    """The labels up to their ends: samples of untouched tickets from before and since a moment.

    touched: ids of tickets that a human decided; theirs are `decided`, whenever they were labelled.
    expected: of all labels since the moment, by head.
    """

    cut: datetime
    touched: Collection[str]
    earlier: Sample
    later: Sample
    decided: dict[str, Served] = field(default_factory=dict)
    expected: dict[str, Expected] = field(
        default_factory=lambda: {name: Expected() for name in HEADS}
    )

    def add(self, event: LabelEvent) -> None:
        """The next label of its partition."""
        if isinstance(event, LabelUpdated):
            self._update(event)
        elif isinstance(event, TicketLabelled):
            self._label(event)

    def _label(self, event: TicketLabelled) -> None:
        answers: dict[str, Answer] = {}
        if event.topic != UNSORTED:
            sure = event.topic_scores.get(event.topic, 0.0)
            answers["topic"] = Answer(event.topic, sure)
        if event.priority is not None:
            sure = event.priority_scores.get(event.priority, 0.0)
            answers["priority"] = Answer(event.priority, sure)
        ticket = Served(ticket_text(event.subject, event.body), event.received_at, answers)
        if ticket.at >= self.cut:
            for name, answer in answers.items():
                self.expected[name].labels += 1
                self.expected[name].right += answer.probability
        if event.ticket_id in self.touched:
            self.decided.setdefault(event.ticket_id, ticket)
        elif ticket.text.strip():
            (self.later if ticket.at >= self.cut else self.earlier).offer(event.ticket_id, ticket)

    def _update(self, event: LabelUpdated) -> None:
        """What people see of a ticket is its latest label."""
        if event.topic is None:
            return
        known = self.decided.get(event.ticket_id)
        known = known or self.later.get(event.ticket_id) or self.earlier.get(event.ticket_id)
        if known is not None:
            sure = event.topic_scores.get(event.topic, 0.0)
            known.answers["topic"] = Answer(event.topic, sure)
