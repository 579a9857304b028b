"""One run of the simulator: posts a plan, corrects, follows the labels, keeps the status."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import orjson

from services.simulator.corrections import Corrections
from services.simulator.domain.helpdesk import Agents
from services.simulator.follower import Follower
from services.simulator.load import BUSY, OpenLoop, Outcome, Request
from services.simulator.plan import Planned
from services.simulator.status import Status
from shared.clock import Clock, Monotonic, monotonic

PATH = "/v1/events"
TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TicketsRequest(Request):
    """A request and what it carries."""

    tickets: tuple[Planned, ...] = ()


@dataclass(slots=True)
class Run:
    """Everything one run needs. `run_id` keeps ticket ids of repeated seeds apart."""

    run_id: str
    loop: OpenLoop
    status: Status
    corrections: Corrections
    agents: Agents
    topics: tuple[str, ...]
    now: Clock
    follower: Follower | None = None
    batch: int = 1
    # How long to wait for labels and corrections after the last ticket, in seconds.
    settle: float = 30.0
    on_tick: Callable[[Status], None] = lambda _: None
    clock: Monotonic = monotonic
    _stopping: bool = False

    def stop(self) -> None:
        """End soon: post nothing more, wait for nothing more."""
        self._stopping = True
        self.loop.stop()

    async def post(self, plan: Iterable[Planned]) -> None:
        """Run the plan to its end, then let labels and corrections come in."""
        background = [
            asyncio.create_task(self._tick()),
            asyncio.create_task(self.corrections.work()),
        ]
        if self.follower is not None:
            background.append(asyncio.create_task(self.follower.follow()))
            background.append(asyncio.create_task(self._ask(self.follower)))
        try:
            await self.loop.run(self._requests(plan), self._ended)
            await self._settle()
        finally:
            for task in background:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self.status.done = True
            self.on_tick(self.status)

    def _requests(self, plan: Iterable[Planned]) -> Iterator[Request]:
        waiting: list[Planned] = []
        for planned in plan:
            waiting.append(planned)
            if len(waiting) == self.batch:
                yield self._request(waiting)
                waiting = []
        if waiting:
            yield self._request(waiting)

    def _request(self, tickets: list[Planned]) -> Request:
        # Due with its last ticket: none may be posted before its time.
        return TicketsRequest(tickets[-1].at, PATH, lambda: self._body(tickets), tuple(tickets))

    def _body(self, tickets: list[Planned]) -> bytes:
        at = self.now()
        events = []
        for planned in tickets:
            ticket_id = self.name(planned.ticket_id)
            if self.follower is not None:
                self.follower.expect(ticket_id, planned.topic)
            ids = {"event_id": f"{ticket_id}-1", "ticket_id": ticket_id, "created_at": at}
            events.append(ids | planned.content)
        self.status.sent += len(events)
        return orjson.dumps(events if self.batch > 1 else events[0])

    def name(self, local: str) -> str:
        """An id that no other run uses."""
        return f"{self.run_id}-{local}"

    def _ended(self, outcome: Outcome) -> None:
        assert isinstance(outcome.request, TicketsRequest)  # noqa: S101 - nothing else is posted
        tickets = outcome.request.tickets
        self.status.retried += outcome.attempts > 1
        if outcome.accepted:
            self.status.accepted += len(tickets)
            for planned in tickets:
                correction = self.agents.review(
                    self.name(planned.ticket_id), planned.topic, planned.priority, self.topics
                )
                if correction is not None:
                    self.corrections.schedule(correction)
            return
        if outcome.status is None or outcome.status in BUSY:
            self.status.undelivered += len(tickets)
        else:
            self.status.rejected += len(tickets)
        if self.follower is not None:
            for planned in tickets:
                self.follower.forget(self.name(planned.ticket_id))

    async def _settle(self) -> None:
        deadline = self.clock() + self.settle
        while not self._stopping and self.clock() < deadline:
            labels = self.follower.waiting if self.follower else 0
            if not labels and not self.corrections.waiting:
                return
            await asyncio.sleep(0.1)

    async def _tick(self) -> None:
        while True:
            self.on_tick(self.status)
            await asyncio.sleep(TICK_SECONDS)

    @staticmethod
    async def _ask(follower: Follower) -> None:
        while True:
            await follower.ask_for_missed()
            await asyncio.sleep(TICK_SECONDS)
