"""Second looks in batches, in a thread of their own: topic, novelty, near-duplicates, observers."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import ModelIdentity, ticket_text
from services.classifier.domain.languages import language_of
from services.classifier.domain.observing import VectorObserver
from services.classifier.domain.updating import Opinion
from services.classifier.models.fast.folding import Fold
from services.classifier.models.semantic.heads import CascadedHead, SecondLook
from services.classifier.models.semantic.neighbours import Newcomer, RecentTickets
from services.classifier.models.semantic.sketches import sketches
from services.classifier.models.semantic.usual import UsualCentre
from shared import metrics
from shared.events import SimilarTicket, TicketLabelled

log = logging.getLogger(__name__)

# Tickets per call: enough that the encoder is at its best.
_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class Seen:
    """One ticket after its second look; `model` is who looked."""

    ticket: TicketLabelled
    opinion: Opinion
    similar: tuple[SimilarTicket, ...]
    model: ModelIdentity


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one batch: CPU seconds per ticket, and CPU seconds per second that it took."""

    seconds_per_ticket: float = 0.0
    granted: float = 1.0


@dataclass(eq=False)
class _Request:
    tickets: Sequence[TicketLabelled]
    answer: asyncio.Future[list[Seen]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class SecondLooks:
    """Gathers the tickets of all partitions for a moment and looks at them together.

    One batch at a time, in the order they came; what is looked at stays in the order of its
    partition.
    """

    def __init__(
        self,
        fold: Callable[[], Fold],
        recent: RecentTickets,
        centre: UsualCentre,
        observers: Sequence[VectorObserver],
        *,
        gather_seconds: float,
    ) -> None:
        """`fold`: what is known now; its head of topics is a CascadedHead."""
        self._fold = fold
        self._recent = recent
        self._centre = centre
        self._observers = observers
        self._gather = gather_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="second-look")
        self._waiting: deque[_Request] = deque()
        self._server: asyncio.Task[None] | None = None
        self._cost = Cost()
        self._began: float | None = None

    def silence(self) -> float:
        """Seconds since the look under way began, 0 when there is none; from any thread."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    async def look(self, tickets: Sequence[TicketLabelled]) -> list[Seen]:
        """Look at `tickets`, in their order. What an expert raises passes through."""
        request = _Request(tickets)
        self._waiting.append(request)
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve())
        return await request.answer

    @property
    def cost(self) -> Cost:
        """Of the latest batch."""
        return self._cost

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(self._gather)
            requests = [self._waiting.popleft()]
            count = len(requests[0].tickets)
            while self._waiting and count + len(self._waiting[0].tickets) <= _BATCH:
                requests.append(self._waiting.popleft())
                count += len(requests[-1].tickets)
            tickets = [ticket for each in requests for ticket in each.tickets]
            self._began = time.monotonic()
            try:
                seen = await loop.run_in_executor(self._thread, self.look_now, tickets)
            except Exception as fault:  # noqa: BLE001 - handed to everyone who waits for it
                _settle(requests, fault)
            else:
                _settle(requests, seen)
            finally:
                self._began = None

    def look_now(self, tickets: Sequence[TicketLabelled]) -> list[Seen]:
        """The same at once, in the thread of the caller."""
        began, started = time.monotonic(), time.thread_time()
        fold = self._fold()
        head, model = fold.topic, fold.identity
        if not isinstance(head, CascadedHead):
            raise TypeError("the fold lost the experts of its head")
        look = head.second_look([ticket_text(each.subject, each.body) for each in tickets])
        thresholds = fold.judgement.thresholds(look.classes)
        centred = self._centre.centred(look.vectors)
        similar = self._similar(tickets, centred)
        self._show(tickets, centred, look)
        seconds = time.thread_time() - started
        elapsed = max(time.monotonic() - began, seconds)
        self._cost = Cost(seconds / max(len(tickets), 1), seconds / elapsed if elapsed else 1.0)
        metrics.SEMANTIC_CPU_SECONDS.inc(seconds)
        return [
            Seen(ticket, Opinion(look.classes, row, thresholds), alike, model)
            for ticket, row, alike in zip(tickets, look.probabilities, similar, strict=True)
        ]

    def _similar(
        self, tickets: Sequence[TicketLabelled], vectors: NDArray[np.float32]
    ) -> list[tuple[SimilarTicket, ...]]:
        newcomers = [
            Newcomer(each.ticket_id, language_of(f"{each.subject} {each.body}", each.language))
            for each in tickets
        ]
        spelling = sketches([ticket_text(each.subject, each.body) for each in tickets])
        return [
            ()
            if found is None
            else (SimilarTicket(ticket_id=found.ticket_id, similarity=round(found.similarity, 4)),)
            for found in self._recent.meet(newcomers, vectors, spelling)
        ]

    def _show(
        self, tickets: Sequence[TicketLabelled], vectors: NDArray[np.float32], look: SecondLook
    ) -> None:
        for row in np.flatnonzero(vectors.any(axis=1)).tolist():
            for observer in self._observers:
                try:
                    observer.observe(tickets[row], vectors[row], float(look.novelty[row]))
                except Exception:
                    # What others make of a ticket must not keep it from its label.
                    log.exception("an observer failed on ticket %s", tickets[row].ticket_id)
                    metrics.SEMANTIC_SKIPPED.labels("observer").inc()


def _settle(requests: Sequence[_Request], outcome: list[Seen] | Exception) -> None:
    start = 0
    for each in requests:
        stop = start + len(each.tickets)
        if each.answer.done():
            pass  # nobody waits any more
        elif isinstance(outcome, Exception):
            each.answer.set_exception(outcome)
        else:
            each.answer.set_result(outcome[start:stop])
        start = stop
