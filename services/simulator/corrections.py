"""Posts corrections when they are due, many at once."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

import orjson

from services.simulator.domain.helpdesk import Correction
from services.simulator.load import ACCEPTED, OpenLoop
from services.simulator.status import Status
from shared.clock import Clock, Monotonic, monotonic

PATH = "/v1/corrections"
POLL_SECONDS = 0.1
AT_ONCE = 100


class Corrections:
    """A queue by due time. `name` makes event ids that no other run has."""

    def __init__(
        self,
        loop: OpenLoop,
        status: Status,
        *,
        name: Callable[[str], str],
        now: Clock,
        clock: Monotonic = monotonic,
    ) -> None:
        self._loop = loop
        self._status = status
        self._name = name
        self._now = now
        self._clock = clock
        self._order = itertools.count()
        self._under_way = 0
        self._due: list[tuple[float, int, Correction]] = []

    @property
    def waiting(self) -> int:
        """Corrections not yet answered."""
        return len(self._due) + self._under_way

    def schedule(self, correction: Correction) -> None:
        """Post it `delay` seconds from now."""
        due = self._clock() + correction.delay
        heapq.heappush(self._due, (due, next(self._order), correction))

    async def work(self) -> None:
        """Post what is due until cancelled."""
        while True:
            await self.post_due()
            await asyncio.sleep(POLL_SECONDS)

    async def post_due(self) -> None:
        """Post everything that is due now."""
        while True:
            batch: list[tuple[int, Correction]] = []
            while self._due and self._due[0][0] <= self._clock() and len(batch) < AT_ONCE:
                _, number, correction = heapq.heappop(self._due)
                batch.append((number, correction))
            if not batch:
                return
            self._under_way = len(batch)
            try:
                await self._post(batch, self._now())
            finally:
                self._under_way = 0

    async def _post(self, batch: list[tuple[int, Correction]], at: datetime) -> None:
        body = orjson.dumps(
            [
                {
                    "event_id": self._name(f"c{number}"),
                    "ticket_id": correction.ticket_id,
                    "corrected_at": at,
                    "actor": correction.actor,
                    "topic": correction.topic,
                    "priority": correction.priority,
                }
                for number, correction in batch
            ]
        )
        reply, _ = await self._loop.deliver(PATH, body)
        if reply is not None and reply.status == ACCEPTED:
            self._status.corrections += len(batch)
