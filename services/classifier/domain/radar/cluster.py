"""A cluster: novel tickets that are about the same, and what is known of them."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import ticket_text
from services.classifier.domain.radar import terms
from shared.events import TicketLabelled

Array = NDArray[np.float32]

EXAMPLES: Final = 20
# Beyond that many it no longer matters who else asked.
_REQUESTERS: Final = 100
_TEXT: Final = 1_000
# Weight that each ticket leaves to the earlier ones: the last fifty or so decide what is novel.
_MEMORY: Final = 0.98
_FORMER_IDS: Final = 50
# A correction or two are of single tickets.
_LEAST_LABELLED: Final = 3


class Fate(StrEnum):
    """What became of a cluster: silent ones absorb their tickets and are not proposed."""

    GROWING = "growing"
    DISMISSED = "dismissed"
    NAMED = "named"


@dataclass(slots=True)
class Example:
    """A ticket that shows what the cluster is about."""

    ticket_id: str
    subject: str
    body: str
    similarity: float
    labelled: bool = False


@dataclass(slots=True)
class Cluster:
    """total: sum of the unit vectors of its tickets; born, turn: of its first and latest ticket.

    first_seen, last_seen: when such tickets were created; heard: when the latest was received.
    novel, known: tickets lately heard of near it, by what the models thought of them.
    """

    id: str
    total: Array
    born: int
    turn: int
    first_seen: datetime
    last_seen: datetime
    heard: datetime
    tickets: int = 0
    novel: float = 0.0
    known: float = 0.0
    fate: Fate = Fate.GROWING
    former_ids: list[str] = field(default_factory=list)
    requesters: dict[str, None] = field(default_factory=dict)
    phrases: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)

    @classmethod
    def led_by(cls, ticket: TicketLabelled, vector: Array, turn: int) -> "Cluster":
        """A cluster that this ticket will be the first of; its id follows from the ticket."""
        name = hashlib.sha256(ticket.event_id.encode("utf-8", "replace")).hexdigest()
        at = ticket.created_at
        return cls(f"p-{name[:12]}", np.zeros_like(vector), turn, turn, at, at, ticket.received_at)

    def centre(self, middle: Array) -> Array:
        """Unit vector, seen from the middle of what this desk writes."""
        return seen_from(middle, self.total / np.float32(max(self.tickets, 1)))

    @property
    def share(self) -> float:
        """Of novel tickets among those lately heard of near it."""
        return self.novel / max(self.novel + self.known, 1e-6)

    def join(self, ticket: TicketLabelled, vector: Array, found: list[str], turn: int) -> None:
        """One more novel ticket; `found` are its words, `turn` its number."""
        self.turn = turn
        self.heard = max(self.heard, ticket.received_at)
        self.last_seen = max(self.last_seen, ticket.created_at)
        self.first_seen = min(self.first_seen, ticket.created_at)
        self.novel = self.novel * _MEMORY + 1.0
        self.known *= _MEMORY
        if self.fate is not Fate.GROWING:
            return  # its centre and its examples stay what was judged
        self.total = self.total + vector
        self.tickets += 1
        # Who did not say who they are cannot be told apart, nor be taken for one person.
        self._met(ticket.requester or f"ticket {ticket.ticket_id}")
        self.phrases.update(terms.phrases(found))
        terms.prune(self.phrases)

    def show(self, ticket: TicketLabelled, similarity: float) -> None:
        """Perhaps an example, by its similarity to the centre."""
        if not ticket_text(ticket.subject, ticket.body).strip():
            return
        if any(example.ticket_id == ticket.ticket_id for example in self.examples):
            return
        subject, body = ticket.subject[:_TEXT], ticket.body[:_TEXT]
        self._keep([*self.examples, Example(ticket.ticket_id, subject, body, similarity)])

    def contradict(self) -> None:
        """A ticket of a known topic came near."""
        self.known = self.known * _MEMORY + 1.0
        self.novel *= _MEMORY

    def absorb(self, other: "Cluster") -> None:
        """All of another cluster becomes part of this one."""
        self.total = self.total + other.total
        self.tickets += other.tickets
        self.novel += other.novel
        self.known += other.known
        self.turn = max(self.turn, other.turn)
        self.heard = max(self.heard, other.heard)
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        self.former_ids = [*self.former_ids, other.id, *other.former_ids][-_FORMER_IDS:]
        for requester in other.requesters:
            self._met(requester)
        self.phrases.update(other.phrases)
        terms.prune(self.phrases)
        self._keep(self.examples + other.examples)

    def answers_to(self, proposal: str) -> bool:
        """Whether this is its id, or was that of a part of it."""
        return proposal == self.id or proposal in self.former_ids

    def label(self, ticket_id: str) -> None:
        """A human said what this ticket is about; half of the examples speak for all."""
        for example in self.examples:
            example.labelled |= example.ticket_id == ticket_id
        labelled = sum(example.labelled for example in self.examples)
        enough = max(_LEAST_LABELLED, len(self.examples) / 2)
        if self.fate is Fate.GROWING and labelled >= enough:
            self.fate = Fate.NAMED

    def forget_log(self) -> None:
        """No human said anything of it."""
        self.fate = Fate.GROWING
        for example in self.examples:
            example.labelled = False

    def state(self) -> dict[str, Any]:
        """Plain values, without `total`."""
        values = {name: getattr(self, name) for name in _PLAIN}
        times = {name: getattr(self, name).isoformat() for name in _TIMES}
        return (
            values
            | times
            | {
                "fate": str(self.fate),
                "former_ids": list(self.former_ids),
                "requesters": list(self.requesters),
                "phrases": dict(self.phrases),
                "examples": [asdict(example) for example in self.examples],
            }
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Any], total: Array) -> "Cluster":
        """The cluster that `state` described. Raises LookupError, TypeError or ValueError."""
        values: dict[str, Any] = {name: state[name] for name in _PLAIN}
        values |= {name: datetime.fromisoformat(state[name]) for name in _TIMES}
        return cls(
            **values,
            total=total,
            fate=Fate(state["fate"]),
            former_ids=list(state["former_ids"]),
            requesters=dict.fromkeys(state["requesters"]),
            phrases=Counter(state["phrases"]),
            examples=[Example(**each) for each in state["examples"]],
        )

    def _met(self, requester: str) -> None:
        if len(self.requesters) < _REQUESTERS:
            self.requesters[requester] = None

    def _keep(self, examples: list[Example]) -> None:
        """Those nearest to the centre, each as it stood when its ticket came."""
        ranked = sorted(examples, key=lambda each: (-each.similarity, each.ticket_id))
        self.examples = ranked[:EXAMPLES]


_PLAIN: Final = ("id", "born", "turn", "tickets", "novel", "known")
_TIMES: Final = ("first_seen", "last_seen", "heard")


def seen_from(middle: Array, vector: Array) -> Array:
    """A vector's direction from the middle, of unit length; zeros where there is none."""
    away = vector - middle
    direction: Array = away / np.float32(max(float(np.linalg.norm(away)), 1e-6))
    return direction
