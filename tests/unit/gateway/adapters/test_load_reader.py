"""Series by queue: sums of everything below, all as the sum of either dimension."""

from datetime import date, datetime, timedelta

import pytest

from services.gateway.adapters.load_reader import LoadReader
from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.domain.load import Span
from shared.queues import QueueDirectory
from shared.windows import Dimension, Grain
from tests.unit.gateway.builders import NOON, TickingClock, small_helpdesk

DAY = timedelta(days=1)
TWO_DAYS = Span((NOON - DAY).date(), NOON.date())


def reader(views: MemoryViews, now: datetime = NOON) -> LoadReader:
    return LoadReader(views, QueueDirectory(), lambda: now, TickingClock())


async def test_the_extent_is_the_first_to_the_last_day_of_any_ticket() -> None:
    assert await reader(MemoryViews()).extent() is None
    assert await reader(small_helpdesk()).extent() == TWO_DAYS


async def test_tickets_dated_ahead_over_new_year_belong_to_the_extent() -> None:
    views = MemoryViews()
    silvester = NOON.replace(year=2026, month=12, day=31)
    views.count(Dimension.QUEUE, "IT", silvester + DAY)
    views.count(Dimension.TOPIC, "vpn", silvester + DAY)
    assert await reader(views, silvester).extent() == Span(date(2027, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize(("queue", "expected"), [("IT", [2, 3]), ("IT/Network/VPN", [1, 2])])
async def test_a_queue_has_everything_below_it(queue: str, expected: list[int]) -> None:
    load = reader(small_helpdesk())
    node = (await load.tree()).find(queue)
    assert (await load.counts(node, Grain.DAY, TWO_DAYS)).tolist() == expected


@pytest.mark.parametrize("more", [Dimension.QUEUE, Dimension.TOPIC])
async def test_all_is_every_ticket_once_whichever_dimension_is_read(more: Dimension) -> None:
    views = small_helpdesk()
    for number in range(5):
        views.count(more, f"empty-{number}", NOON, 0)
    load = reader(views)
    assert (await load.counts(None, Grain.DAY, TWO_DAYS)).tolist() == [4, 10]
    hours = await load.counts(None, Grain.HOUR, TWO_DAYS)
    assert (len(hours), hours[12], hours[36], hours.sum()) == (48, 4, 10, 14)


async def test_days_outside_the_data_are_zeros() -> None:
    load = reader(small_helpdesk())
    around = Span(TWO_DAYS.first - 2 * DAY, TWO_DAYS.last + DAY)
    assert (await load.counts(None, Grain.DAY, around)).tolist() == [0, 0, 4, 10, 0]
    far = Span(date(1900, 1, 1), date(1900, 1, 3))
    assert (await load.counts(None, Grain.DAY, far)).tolist() == [0, 0, 0]
    ahead = Span(date.max, date.max)
    assert (await load.counts(None, Grain.DAY, ahead)).tolist() == [0]


async def test_totals_and_today_are_of_exactly_each_queue() -> None:
    load = reader(small_helpdesk())
    assert await load.totals(Dimension.QUEUE) == {"HR": 9, "IT/Network": 2, "IT/Network/VPN": 3}
    assert list((await load.today(Dimension.QUEUE)).items()) == [
        ("HR", 7),
        ("IT/Network/VPN", 2),
        ("IT/Network", 1),
    ]
    assert await reader(MemoryViews()).totals(Dimension.QUEUE) == {}


async def test_a_queue_seen_later_joins_the_tree() -> None:
    views = small_helpdesk()
    load = reader(views)
    before = await load.tree()
    assert await load.tree() is before
    views.count(Dimension.QUEUE, "Legal", NOON)
    assert (await load.tree()).find("Legal") is not None


async def test_within_a_second_the_tree_is_not_read_again() -> None:
    views = small_helpdesk()
    load = LoadReader(views, QueueDirectory(), lambda: NOON, lambda: 5.0)
    before, extent = await load.tree(), await load.extent()
    views.broken = "gone"
    assert await load.tree() is before
    assert await load.extent() == extent
