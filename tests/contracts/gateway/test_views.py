"""What every Views must do: in memory and on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local.valkey import LocalValkey
from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.adapters.redis_views import RedisViews, connect
from services.gateway.adapters.views import PartitionPosition, Views
from services.gateway.domain.feed import BEGINNING, FeedBounds, FeedId
from services.gateway.domain.listing import UpForReview, Wanted, read_page
from services.gateway.domain.paging import Position
from services.gateway.domain.tickets import StoredTicket
from shared import redis_keys
from shared.errors import Unavailable
from shared.events import Decision
from shared.mixes import Mix
from shared.read_model import FeedEntry, Totals
from shared.settings import RedisSettings
from shared.windows import Dimension, Grain, unpack
from tests.contracts.gateway.projections import MemoryProjection, Projection, RedisProjection
from tests.unit.gateway.builders import NOON, a_record, an_entry, human_values

VPN = redis_keys.index(Dimension.TOPIC, "vpn")
WIFI = redis_keys.index(Dimension.TOPIC, "wifi")
ALL = redis_keys.INDEX_ALL
VPN_AND_HIGH = [
    Wanted(Dimension.TOPIC, frozenset({"vpn"})),
    Wanted(Dimension.PRIORITY, frozenset({"high"})),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalValkey]:
    """Of this module alone: its tests begin by emptying it."""
    with LocalValkey(tmp_path_factory.mktemp("views")) as valkey:
        yield valkey


@asynccontextmanager
async def _memory(_: pytest.FixtureRequest) -> AsyncIterator[tuple[Views, Projection]]:
    views = MemoryViews()
    yield views, MemoryProjection(views)


@asynccontextmanager
async def _redis(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Views, Projection]]:
    valkey: LocalValkey = request.getfixturevalue("server")
    async with connect(RedisSettings(url=valkey.url)) as client:
        await client.flushall()
        yield RedisViews(client, partitions=3), RedisProjection(client)


@pytest.fixture(params=[_memory, _redis], ids=["memory", "redis"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Views, Projection]]:
    async with request.param(request) as made:
        yield made


@pytest.fixture
def views(pair: tuple[Views, Projection]) -> Views:
    return pair[0]


@pytest.fixture
def projection(pair: tuple[Views, Projection]) -> Projection:
    return pair[1]


class TestTickets:
    async def test_answers_records_with_what_a_human_set_in_the_order_asked(
        self, views: Views, projection: Projection
    ) -> None:
        plain, corrected = a_record(1), a_record(2)
        await projection.put(plain)
        await projection.put(corrected, human_values(2, topic="wifi"))
        assert await views.tickets(["T-2", "unknown", "T-1"]) == [
            StoredTicket(corrected, human_values(2, topic="wifi")),
            None,
            StoredTicket(plain),
        ]

    async def test_no_ids_no_tickets(self, views: Views) -> None:
        assert await views.tickets([]) == []


class TestIndexes:
    async def test_newest_first_strictly_before_the_position(
        self, views: Views, projection: Projection
    ) -> None:
        for number in range(5):
            await projection.put(a_record(number))
        first = await views.newest([ALL], None, 2)
        assert [place.ticket_id for place in first] == ["T-4", "T-3"]
        rest = await views.newest([ALL], first[-1], 10)
        assert [place.ticket_id for place in rest] == ["T-2", "T-1", "T-0"]
        assert await views.newest([ALL], rest[-1], 10) == []

    async def test_one_millisecond_with_more_tickets_than_a_page(
        self, views: Views, projection: Projection
    ) -> None:
        for number in range(30):
            await projection.put(a_record(number, created_at=NOON))
        seen: list[str] = []
        before: Position | None = None
        while places := await views.newest([ALL], before, 4):
            seen += [place.ticket_id for place in places]
            before = places[-1]
        assert seen == sorted((f"T-{number}" for number in range(30)), reverse=True)

    async def test_a_union_leaves_nothing_out_and_repeats_nothing(
        self, views: Views, projection: Projection
    ) -> None:
        for number in range(40):
            # Runs of one topic, so that the indexes do not reach equally far back.
            await projection.put(a_record(number, topic="vpn" if number % 20 < 15 else "wifi"))
        seen: list[str] = []
        before: Position | None = None
        while places := await views.newest([VPN, WIFI, VPN], before, 7):
            assert len(places) <= 7
            seen += [place.ticket_id for place in places]
            before = places[-1]
        assert seen == [f"T-{number}" for number in reversed(range(40))]

    async def test_sizes_and_membership(self, views: Views, projection: Projection) -> None:
        await projection.put(a_record(1))
        await projection.put(a_record(2, topic="wifi"))
        await projection.put(a_record(3, topic="mail"))
        assert await views.sizes([ALL, WIFI, "index:topic:none"]) == [3, 1, 0]
        inside = await views.contained(["T-1", "T-2", "T-3", "T-4"], [VPN, WIFI])
        assert inside == [True, True, False, False]

    async def test_pages_of_an_intersection_skip_expired_records_without_short_pages(
        self, views: Views, projection: Projection
    ) -> None:
        for number in range(60):
            priority = "high" if number % 3 else "low"
            await projection.put(a_record(number, priority=priority))
        for number in range(25, 60):
            await projection.expire(f"T-{number}")
        page = await read_page(views, VPN_AND_HIGH, None, 10)
        wanted = [f"T-{number}" for number in reversed(range(25)) if number % 3]
        assert [ticket.record.ticket_id for ticket in page.tickets] == wanted[:10]
        page = await read_page(views, VPN_AND_HIGH, page.next, 10)
        assert [ticket.record.ticket_id for ticket in page.tickets] == wanted[10:]
        assert page.next is None

    async def test_the_review_is_least_sure_first_and_ends_with_a_humans_word(
        self, views: Views, projection: Projection
    ) -> None:
        for number in range(8):
            scores = {"vpn": 0.9 - number / 10, "wifi": 0.1}
            decision: Decision = "applied" if number == 5 else "suggested"
            record = a_record(number, topic_scores=scores, decision=decision)
            said = human_values(number, topic="wifi") if number == 6 else None
            await projection.put(record, said)
        queue = [Wanted(Dimension.QUEUE, frozenset({"IT/Network"}))]
        seen: list[str] = []
        before: Position | None = None
        while True:
            page = await read_page(views, queue, before, 2, order=UpForReview())
            seen += [ticket.record.ticket_id for ticket in page.tickets]
            if (before := page.next) is None:
                break
        assert seen == ["T-7", "T-4", "T-3", "T-2", "T-1", "T-0"]


class TestLoad:
    async def test_windows_by_name_then_period(self, views: Views, projection: Projection) -> None:
        await projection.count(Dimension.QUEUE, "HR", NOON, 3)
        await projection.count(Dimension.QUEUE, "IT", NOON.replace(year=2025), 2)
        raws = await views.windows(Grain.DAY, Dimension.QUEUE, ["IT", "HR"], ["2025", "2026"])
        assert [raw is not None for raw in raws] == [True, False, False, True]
        day = NOON.timetuple().tm_yday - 1
        assert unpack(raws[0], 365)[day] == 2
        assert unpack(raws[3], 365)[day] == 3
        assert unpack(raws[3], 365).sum() == 3

    async def test_hours_and_minutes_hold_the_same_tickets(
        self, views: Views, projection: Projection
    ) -> None:
        late = datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)
        await projection.count(Dimension.TOPIC, "vpn", late, 1)
        [hours] = await views.windows(Grain.HOUR, Dimension.TOPIC, ["vpn"], ["2024"])
        [minutes] = await views.windows(Grain.MINUTE, Dimension.TOPIC, ["vpn"], ["20241231"])
        assert unpack(hours, 366 * 24)[-1] == 1
        assert unpack(minutes, 1440)[-1] == 1

    async def test_series_that_have_windows(self, views: Views, projection: Projection) -> None:
        assert await views.series(Dimension.TOPIC) == frozenset()
        await projection.count(Dimension.TOPIC, "связь", NOON, 1)
        await projection.count(Dimension.TOPIC, "vpn", NOON, 1)
        assert await views.series(Dimension.TOPIC) == {"связь", "vpn"}

    async def test_mixes_of_exactly_the_queues_asked_for(
        self, views: Views, projection: Projection
    ) -> None:
        vpn, wifi = Mix("vpn", "high"), Mix("wi:fi", "")
        await projection.mix("IT", vpn, NOON, 2)
        await projection.mix("IT", wifi, NOON.replace(year=2025), 1)
        await projection.mix("IT/Mail", vpn, NOON, 5)
        found = await views.mixes(["IT", "HR"])
        assert sorted(found) == [("IT", vpn), ("IT", wifi)]
        raws = await views.mixed([("IT", vpn), ("IT", wifi)], ["2025", "2026"])
        assert [raw is not None for raw in raws] == [False, True, True, False]
        assert unpack(raws[1], 365)[NOON.timetuple().tm_yday - 1] == 2

    async def test_nothing_asked_nothing_read(self, views: Views) -> None:
        assert await views.mixes([]) == []
        assert await views.mixed([], ["2026"]) == []
        assert await views.windows(Grain.DAY, Dimension.QUEUE, [], ["2026"]) == []


class TestProjectionState:
    async def test_totals(self, views: Views, projection: Projection) -> None:
        assert await views.totals() == Totals()
        await projection.total(Totals(labelled=5, counted=4, duplicates=1))
        assert await views.totals() == Totals(labelled=5, counted=4, duplicates=1)

    async def test_positions_of_partitions_that_were_read(
        self, views: Views, projection: Projection
    ) -> None:
        labelled = PartitionPosition("tickets.labelled.v1", 2, 10, 9)
        corrected = PartitionPosition("tickets.corrected.v1", 0, 4, None)
        await projection.position(corrected)
        await projection.position(labelled)
        assert sorted(await views.positions(), key=lambda p: p.offset) == [corrected, labelled]


class TestFeed:
    async def test_no_feed_yet(self, views: Views) -> None:
        assert await views.feed_bounds() == FeedBounds(None, BEGINNING)
        assert await views.feed_latest() is None
        assert await views.feed_after(BEGINNING, 10) == []

    async def test_entries_after_a_position_oldest_first(
        self, views: Views, projection: Projection
    ) -> None:
        ids = [FeedId(5, 0), FeedId(5, 1), FeedId(9, 0)]
        for number, at in enumerate(ids):
            await projection.feed(an_entry(number), at)
        items = await views.feed_after(FeedId(5, 0), 10)
        assert [(item.id, item.entry) for item in items] == [
            (ids[1], an_entry(1)),
            (ids[2], an_entry(2)),
        ]
        assert FeedEntry.model_validate_json(items[0].raw) == an_entry(1)
        assert len(await views.feed_after(BEGINNING, 2)) == 2

    async def test_bounds_and_latest_after_trimming(
        self, views: Views, projection: Projection
    ) -> None:
        for number in range(1, 6):
            await projection.feed(an_entry(number), FeedId(number, 0))
        await projection.trim(2)
        assert await views.feed_bounds() == FeedBounds(FeedId(4, 0), FeedId(5, 0))
        latest = await views.feed_latest()
        assert latest is not None
        assert latest.entry.ticket_id == "T-5"

    async def test_waits_for_the_next_entry(self, views: Views, projection: Projection) -> None:
        await projection.feed(an_entry(1), FeedId(1, 0))
        waiting = asyncio.create_task(views.feed_wait(FeedId(1, 0), 30.0))
        await projection.feed(an_entry(2), FeedId(2, 0))
        items = await waiting
        # A wait may end early with nothing; then the entry is there to be read.
        items = items or await views.feed_after(FeedId(1, 0), 10)
        assert [item.entry.ticket_id for item in items] == ["T-2"]

    async def test_a_wait_ends_with_nothing(self, views: Views) -> None:
        assert await views.feed_wait(BEGINNING, 0.01) == []


async def test_a_redis_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    with LocalValkey(tmp_path / "gone") as valkey:
        url = valkey.url
    async with connect(RedisSettings(url=url)) as client:
        views = RedisViews(client, partitions=1)
        for question in (views.ping(), views.totals(), views.newest([ALL], None, 1)):
            with pytest.raises(Unavailable, match="Redis does not answer"):
                await question


async def test_a_silent_memory_is_unavailable_too() -> None:
    views = MemoryViews()
    views.broken = "gone"
    for question in (views.ping(), views.totals(), views.newest([ALL], None, 1)):
        with pytest.raises(Unavailable, match="gone"):
            await question
