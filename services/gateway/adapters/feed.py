"""One reader of the live feed per process, fanned out to clients through bounded buffers."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from services.gateway.adapters.views import Views
from services.gateway.domain.feed import BEGINNING, FeedFilter, FeedId, FeedItem
from shared.errors import Unavailable

log = logging.getLogger(__name__)
WAIT_SECONDS = 1.0
RETRY_SECONDS = 0.5
# Labels of one moment are sent on together; a read each would cost more than sending them.
GATHER_SECONDS = 0.005
CATCH_UP_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Gap:
    """Labels after `after` are gone from the feed; it goes on with what is left."""

    after: FeedId


class _Buffer:
    """One client's labels not yet sent. Full: emptied, and the client reads Redis again."""

    def __init__(self, limit: int) -> None:
        self._items: deque[FeedItem] = deque()
        self._limit = limit
        self._changed = asyncio.Event()
        self.overflowed = False

    def offer(self, items: Sequence[FeedItem]) -> None:
        if len(self._items) + len(items) > self._limit:
            self.overflow()
            return
        self._items.extend(items)
        self._changed.set()

    def overflow(self) -> None:
        self._items.clear()
        self.overflowed = True
        self._changed.set()

    def wake(self) -> None:
        self._changed.set()

    async def take(self) -> list[FeedItem]:
        """What is there; waits for something to change, not necessarily an item."""
        if not self._items and not self.overflowed:
            await self._changed.wait()
        self._changed.clear()
        items = list(self._items)
        self._items.clear()
        return items


class Feed:
    """`run` is a task of the process's lifespan; each client iterates `follow`."""

    def __init__(self, views: Views, buffer: int) -> None:
        self._views = views
        self._buffer = buffer
        self._clients: set[_Buffer] = set()
        self._closed = False
        self._reading: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        return len(self._clients)

    def start(self) -> None:
        """Begin to read; needs a running event loop."""
        self._reading = asyncio.create_task(self._read(), name="feed")

    def close(self) -> None:
        """End every client's stream after what it can read at once. Safe in a signal handler."""
        self._closed = True
        for client in self._clients:
            client.wake()

    async def stop(self) -> None:
        """Close, and wait for the reader to end."""
        self.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def check(self) -> str | None:
        """For readiness: the reason why no labels flow, if none do."""
        if self._reading is None or not self._reading.done():
            return None
        if self._closed:
            return "shutting down"
        return f"the reader of the live feed has ended: {self._reading.exception()!r}"

    async def follow(
        self, resume: FeedId | None, wanted: FeedFilter
    ) -> AsyncIterator[FeedItem | Gap]:
        """Labels after `resume`, or from now on; ends when the feed closes.

        Raises Unavailable when Redis does not answer; the client resumes with its last id.
        """
        with self._subscribed() as buffer:
            position = (await self._views.feed_bounds()).last if resume is None else resume
            while True:
                buffer.overflowed = False
                async for found in self._catch_up(position):
                    position = BEGINNING if isinstance(found, Gap) else found.id
                    if isinstance(found, Gap) or wanted(found.entry):
                        yield found
                while not buffer.overflowed:
                    if self._closed:
                        return
                    for item in await buffer.take():
                        if item.id > position:
                            position = item.id
                            if wanted(item.entry):
                                yield item

    async def _catch_up(self, position: FeedId) -> AsyncIterator[FeedItem | Gap]:
        bounds = await self._views.feed_bounds()
        if position != BEGINNING and bounds.lost_after(position):
            yield Gap(position)
        if position > bounds.last:
            # The feed began anew with smaller ids: waiting for larger ones would never end.
            position = BEGINNING
        while items := await self._views.feed_after(position, CATCH_UP_ITEMS):
            for item in items:
                yield item
            position = items[-1].id

    @contextmanager
    def _subscribed(self) -> Iterator[_Buffer]:
        # Before the catch-up reads, so that nothing falls between it and the live labels.
        buffer = _Buffer(self._buffer)
        self._clients.add(buffer)
        try:
            yield buffer
        finally:
            self._clients.discard(buffer)

    async def _read(self) -> None:
        position: FeedId | None = None
        while True:
            try:
                position = await self._read_once(position)
                await asyncio.sleep(GATHER_SECONDS)
            except Unavailable as error:
                log.warning("live feed waits: %s", error.detail)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_once(self, position: FeedId | None) -> FeedId:
        items = [] if position is None else await self._views.feed_wait(position, WAIT_SECONDS)
        if items:
            for client in tuple(self._clients):
                client.offer(items)
            return items[-1].id
        last = (await self._views.feed_bounds()).last
        if position is not None and position <= last:
            return position
        # At the start, and when the feed began anew, clients may stand before or behind `last`.
        for client in tuple(self._clients):
            client.overflow()
        return last
