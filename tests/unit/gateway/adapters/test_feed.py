"""The fan-out: nothing missed, nothing repeated, gaps said, slow clients bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.gateway.adapters.feed import Feed, Gap
from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.domain.feed import BEGINNING, FeedFilter, FeedId, FeedItem
from shared.errors import Unavailable
from tests.deadlines import eventually
from tests.unit.gateway.builders import an_entry

EVERYTHING = FeedFilter()
DEADLINE = 30.0


class Client:
    """Follows a feed and remembers what it was told."""

    def __init__(
        self, feed: Feed, resume: FeedId | None = None, wanted: FeedFilter = EVERYTHING
    ) -> None:
        self.told: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._stream = feed.follow(resume, wanted)
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for found in self._stream:
            self.told.append(name(found))
            await self.gate.wait()

    async def hears(self, *expected: str) -> None:
        await eventually(lambda: self.told == list(expected), DEADLINE, what=str(expected))

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def name(found: FeedItem | Gap) -> str:
    return f"gap after {found.after}" if isinstance(found, Gap) else found.entry.ticket_id


@asynccontextmanager
async def running(views: MemoryViews, buffer: int = 100) -> AsyncIterator[Feed]:
    feed = Feed(views, buffer)
    feed.start()
    try:
        yield feed
    finally:
        await feed.stop()


async def fed(views: MemoryViews, *numbers: int) -> list[FeedId]:
    return [await views.feed(an_entry(number)) for number in numbers]


async def test_from_now_on_without_an_id() -> None:
    views = MemoryViews()
    await fed(views, 1)
    async with running(views) as feed:
        client = Client(feed)
        # In memory nothing suspends a client before it waits: once it is there, "now" has begun.
        await eventually(lambda: feed.clients == 1)
        await fed(views, 2)
        await client.hears("T-2")


async def test_resumes_after_the_id_and_goes_on_live() -> None:
    views = MemoryViews()
    ids = await fed(views, 1, 2, 3)
    async with running(views) as feed:
        client = Client(feed, ids[0])
        await client.hears("T-2", "T-3")
        await fed(views, 4)
        await client.hears("T-2", "T-3", "T-4")


async def test_a_trimmed_id_is_a_gap_first() -> None:
    views = MemoryViews()
    ids = await fed(views, 1, 2, 3)
    views.trim_feed(1)
    async with running(views) as feed:
        await Client(feed, ids[0]).hears(f"gap after {ids[0]}", "T-3")


async def test_everything_kept_is_no_gap() -> None:
    views = MemoryViews()
    await fed(views, 1, 2, 3)
    views.trim_feed(2)
    async with running(views) as feed:
        await Client(feed, BEGINNING).hears("T-2", "T-3")


async def test_a_feed_that_began_anew_is_a_gap_and_goes_on() -> None:
    views = MemoryViews()
    await fed(views, 1)
    async with running(views) as feed:
        client = Client(feed, FeedId(10**15, 0))
        await client.hears(f"gap after {10**15}-0", "T-1")
        await fed(views, 2)
        await client.hears(f"gap after {10**15}-0", "T-1", "T-2")


async def test_a_slow_client_is_bounded_and_still_misses_nothing() -> None:
    views = MemoryViews()
    async with running(views, buffer=3) as feed:
        client = Client(feed, BEGINNING)
        await fed(views, 1)
        await client.hears("T-1")
        client.gate.clear()
        await fed(views, *range(2, 30))
        fast = Client(feed, BEGINNING)
        await fast.hears(*(f"T-{number}" for number in range(1, 30)))
        client.gate.set()
        await client.hears(*(f"T-{number}" for number in range(1, 30)))


async def test_only_what_is_wanted() -> None:
    views = MemoryViews()
    async with running(views) as feed:
        client = Client(feed, BEGINNING, FeedFilter(topic="wifi"))
        await fed(views, 1)
        await views.feed(an_entry(2, topic="wifi"))
        await fed(views, 3)
        await views.feed(an_entry(4, topic="wifi"))
        await client.hears("T-2", "T-4")


async def test_a_client_that_leaves_is_forgotten() -> None:
    views = MemoryViews()
    async with running(views) as feed:
        client = Client(feed)
        await eventually(lambda: feed.clients == 1)
        await client.leave()
        await eventually(lambda: feed.clients == 0)


async def test_closing_ends_streams_after_what_is_there() -> None:
    views = MemoryViews()
    await fed(views, 1, 2)
    async with running(views) as feed:
        client = Client(feed, BEGINNING)
        await client.hears("T-1", "T-2")
        feed.close()
        await asyncio.wait_for(client.task, DEADLINE)
        late = [name(found) async for found in feed.follow(BEGINNING, EVERYTHING)]
        assert late == ["T-1", "T-2"]


async def test_survives_a_redis_that_goes_and_comes_back() -> None:
    views = MemoryViews()
    async with running(views) as feed:
        client = Client(feed, BEGINNING)
        await fed(views, 1)
        await client.hears("T-1")
        views.broken = "gone"
        with pytest.raises(Unavailable):
            await anext(feed.follow(BEGINNING, EVERYTHING))
        await fed(views, 2)
        views.broken = None
        await client.hears("T-1", "T-2")
        assert await feed.check() is None


async def test_a_reader_that_ended_is_told_to_readiness() -> None:
    reached = asyncio.Event()

    class Broken(MemoryViews):
        async def feed_wait(self, position: FeedId, seconds: float) -> list[FeedItem]:
            reached.set()
            raise ValueError("an entry that is no label")

    feed = Feed(Broken(), 10)
    feed.start()
    # The reader ends in the very step that set the event.
    await reached.wait()
    reason = await feed.check()
    assert reason is not None
    assert "no label" in reason
    await feed.stop()
