"""The semantic stage: labels of the hot path get a second look where there is time for it."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from pydantic import ValidationError

from services.classifier.domain.candidates import Candidates
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.pacing import Pace
from services.classifier.domain.updating import update
from services.classifier.semantic.looking import Cost, Seen
from shared import metrics
from shared.clock import Clock
from shared.events import LABEL_RECORD, LabelUpdated, ModelStamp, TicketLabelled
from shared.streaming import Chunk
from shared.streaming.chunk import Record
from shared.streaming.producer import Entry, Outbox
from shared.topics import LABELLED

log = logging.getLogger(__name__)

NAME: Final = "semantic"


class Looker(Protocol):
    """What looks at tickets."""

    async def look(self, tickets: Sequence[TicketLabelled]) -> list[Seen]: ...

    @property
    def cost(self) -> Cost: ...


class SecondLookStage:
    """Reads tickets.labelled.v1 and adds LabelUpdated to it (a `shared.streaming.Stage`).

    It may leave out any ticket, and does when it falls behind: every ticket has its label already.
    """

    def __init__(
        self,
        looks: Looker,
        candidates: Candidates,
        pace: Pace,
        outbox: Outbox,
        clock: Clock,
        *,
        untaught: Callable[[], bool],
    ) -> None:
        """`untaught`: whether the first labels are worth so little that all are looked at again."""
        self._looks = looks
        self._candidates = candidates
        self._pace = pace
        self._outbox = outbox
        self._clock = clock
        self._untaught = untaught

    async def prepare(self, chunk: Chunk) -> list[Entry]:
        """Look at what there is time for. A look that fails leaves the labels as they are."""
        # Before anything is decoded: a flood of labels must not cost more than the budget either.
        why = "busy" if self._pace.empty() else "behind" if self._too_old(chunk.records) else None
        if why is not None:
            metrics.SEMANTIC_SKIPPED.labels(why).inc(len(chunk.records))
            return []
        started = time.thread_time()
        tickets = [label for each in chunk.records if (label := _label(each)) is not None]
        order = self._candidates.order(tickets, everything=self._untaught())
        room = self._pace.take(len(tickets))
        self._pace.spent(0, time.thread_time() - started)
        metrics.SEMANTIC_SKIPPED.labels("busy").inc(len(tickets) - room)
        chosen = order.tickets[:room]
        if not chosen:
            return []
        try:
            seen = await self._looks.look(chosen)
        except Exception:
            log.exception("no second look at %s tickets of %s", room, chunk.partition)
            metrics.SEMANTIC_SKIPPED.labels("failed").inc(room)
            return []
        self._pace.spent(room, room * self._looks.cost.seconds_per_ticket)
        self._pace.disturbed(self._looks.cost.granted)
        metrics.SEMANTIC_LOOKED.labels("candidate").inc(min(room, order.candidates))
        metrics.SEMANTIC_LOOKED.labels("compared").inc(max(0, room - order.candidates))
        return self._entries(seen, order.candidates)

    async def deliver(self, chunk: Chunk, prepared: list[Entry]) -> None:
        """Add the updates after their labels, in the same partition."""
        if prepared:
            await self._outbox.send(LABELLED.name, chunk.partition.partition, prepared)

    def _entries(self, seen: Sequence[Seen], candidates: int) -> list[Entry]:
        now = self._clock()
        entries: list[Entry] = []
        for place, each in enumerate(seen):
            opinion = each.opinion if place < candidates else None
            told = update(each.ticket, opinion, each.similar, _stamp(each.model), now)
            if told is not None:
                _count(each.ticket, told)
                entries.append((told.ticket_id.encode(), told.model_dump_json().encode()))
        return entries

    def _too_old(self, records: Sequence[Record]) -> bool:
        """Whether the youngest label among the records says that this worker is behind."""
        labelled = (label.labelled_at for each in reversed(records) if (label := _label(each)))
        youngest: datetime | None = next(labelled, None)
        if youngest is None:
            return False
        return self._pace.behind((self._clock() - youngest).total_seconds())


def _label(record: Record) -> TicketLabelled | None:
    """The label of a record; None for an update, a skip, or what the forecaster parks."""
    try:
        event = LABEL_RECORD.validate_json(record.value or b"")
    except ValidationError:
        metrics.SEMANTIC_SKIPPED.labels("unreadable").inc()
        return None
    return event if isinstance(event, TicketLabelled) else None


def _stamp(model: ModelIdentity) -> ModelStamp:
    return ModelStamp(
        name=NAME, version=model.version, digest=model.digest, log_offset=model.log_offset
    )


def _count(ticket: TicketLabelled, told: LabelUpdated) -> None:
    if told.topic is not None:
        kind = "confirmed" if told.topic == ticket.topic else "relabelled"
        metrics.SEMANTIC_UPDATED.labels(kind).inc()
    if told.similar:
        metrics.SEMANTIC_UPDATED.labels("linked").inc()
