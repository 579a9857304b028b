"""Compares the labels that come back with the truth."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import httpx

from services.simulator.status import Status
from shared.clock import Monotonic, monotonic
from shared.read_model import FeedEntry

RECONNECT_SECONDS = 0.5
# A label that the feed has not shown for so long is asked for.
MISSED_SECONDS = 5.0
ASKED_AT_ONCE = 50


class Labels(Protocol):
    """Where labels are read: the gateway."""

    def feed(self) -> AsyncIterator[FeedEntry]: ...
    async def predicted_topic(self, ticket_id: str) -> str | None: ...


class Follower:
    """Knows the truth of every accepted ticket until its label was seen."""

    def __init__(self, labels: Labels, status: Status, clock: Monotonic = monotonic) -> None:
        self._labels = labels
        self._status = status
        self._clock = clock
        # Ticket id to its truth and the time it was accepted or last asked for. A label may
        # overtake the 202, so the truth is known before the post.
        self._open: dict[str, tuple[str, float]] = {}

    @property
    def waiting(self) -> int:
        """Tickets whose label has not been seen."""
        return len(self._open)

    def expect(self, ticket_id: str, truth: str) -> None:
        """A ticket is about to be posted."""
        self._open[ticket_id] = (truth, self._clock())

    def forget(self, ticket_id: str) -> None:
        """It was not accepted: no label will come."""
        self._open.pop(ticket_id, None)

    async def follow(self) -> None:
        """Read the feed until cancelled, over every reconnection."""
        while True:
            try:
                async for entry in self._labels.feed():
                    self._compare(entry.ticket_id, entry.topic)
            except httpx.HTTPError:
                pass
            await asyncio.sleep(RECONNECT_SECONDS)

    async def ask_for_missed(self) -> None:
        """Look once for labels that the feed should have shown."""
        now = self._clock()
        missed = [
            ticket_id for ticket_id, (_, at) in self._open.items() if now - at > MISSED_SECONDS
        ][:ASKED_AT_ONCE]
        for ticket_id in missed:
            try:
                topic = await self._labels.predicted_topic(ticket_id)
            except httpx.HTTPError:
                return
            if topic is not None:
                self._compare(ticket_id, topic)
            elif ticket_id in self._open:
                # To the end of the line, or a few lost ones would be asked for again and again.
                self._open[ticket_id] = (self._open.pop(ticket_id)[0], now)

    def _compare(self, ticket_id: str, topic: str) -> None:
        # Seen once: the first label counts, repeats and tickets of others do not.
        known = self._open.pop(ticket_id, None)
        if known is not None:
            self._status.check(topic, known[0])
