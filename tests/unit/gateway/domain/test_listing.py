"""Pages over intersections: complete, in order, and never an endless scan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.domain.listing import MOST_READS, Wanted, read_page
from services.gateway.domain.paging import Position
from shared.windows import Dimension
from tests.unit.gateway.builders import a_record, human_values

TOPICS = ("vpn", "wifi", "mail")
PRIORITIES = ("high", "low")


def topic(*names: str) -> Wanted:
    return Wanted(Dimension.TOPIC, frozenset(names))


def priority(name: str) -> Wanted:
    return Wanted(Dimension.PRIORITY, frozenset({name}))


async def walk(views: MemoryViews, wanted: list[Wanted], limit: int) -> list[str]:
    """The ids of all pages; every page but the last is full."""
    seen: list[str] = []
    before: Position | None = None
    while True:
        page = await read_page(views, wanted, before, limit)
        seen += [ticket.record.ticket_id for ticket in page.tickets]
        if page.next is None:
            return seen
        assert len(page.tickets) == limit
        before = page.next


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(TOPICS), st.sampled_from(PRIORITIES)),
        max_size=40,
    ),
    st.integers(1, 7),
    st.data(),
)
async def test_pages_are_exactly_the_matching_tickets(
    labels: list[tuple[int, str, str]], limit: int, data: st.DataObject
) -> None:
    views = MemoryViews()
    expired = data.draw(st.sets(st.integers(0, 40)))
    expected: list[Position] = []
    for number, (second, name, level) in enumerate(labels):
        moment = a_record(second).created_at
        record = a_record(number, created_at=moment, topic=name, priority=level)
        views.put_ticket(record)
        if number in expired:
            views.expire(record.ticket_id)
        elif name in ("vpn", "mail") and level == "high":
            score = int(moment.timestamp() * 1000)
            expected.append(Position(score, record.ticket_id.encode()))
    seen = await walk(views, [topic("vpn", "mail"), priority("high")], limit)
    assert seen == [place.ticket_id for place in sorted(expected, reverse=True)]


async def test_tickets_that_arrive_meanwhile_do_not_shift_later_pages() -> None:
    views = MemoryViews()
    for number in range(6):
        views.put_ticket(a_record(number))
    first = await read_page(views, [], None, 3)
    views.put_ticket(a_record(100))
    second = await read_page(views, [], first.next, 3)
    assert [t.record.ticket_id for t in second.tickets] == ["T-2", "T-1", "T-0"]
    assert second.next is None


async def test_a_scan_that_finds_nothing_gives_up_with_a_place_to_go_on_from() -> None:
    views = MemoryViews()
    scanned = sum(min(2 * 2**read, 1000) for read in range(MOST_READS))
    for number in range(scanned + 1):
        views.put_ticket(a_record(number))
        if number:
            views.expire(f"T-{number}")
    page = await read_page(views, [], None, 1)
    assert page.tickets == []
    assert page.next is not None
    page = await read_page(views, [], page.next, 1)
    assert [ticket.record.ticket_id for ticket in page.tickets] == ["T-0"]


@pytest.mark.parametrize("rare", ["topic", "priority"])
async def test_either_filter_may_be_the_smaller(rare: str) -> None:
    views = MemoryViews()
    for number in range(20):
        few = number == 7
        views.put_ticket(
            a_record(
                number,
                topic="wifi" if few and rare == "topic" else "vpn",
                priority="low" if few and rare == "priority" else "high",
            )
        )
    groups = (
        [topic("wifi"), priority("high")] if rare == "topic" else [topic("vpn"), priority("low")]
    )
    assert await walk(views, groups, 5) == ["T-7"]


async def test_the_value_in_force_decides_not_the_index() -> None:
    views = MemoryViews()
    views.put_ticket(a_record(1, topic="vpn"), human_values(1, topic="wifi"))
    views.put_ticket(a_record(2, topic="vpn"))
    assert await walk(views, [topic("vpn")], 5) == ["T-2"]
    assert await walk(views, [topic("wifi")], 5) == ["T-1"]


async def test_a_correction_before_the_label_lists_the_ticket_once() -> None:
    views = MemoryViews()
    views.put_early_correction(human_values(1, topic="wifi"))
    assert await walk(views, [topic("wifi")], 5) == []
    views.put_ticket(a_record(1, topic="vpn"))
    assert await walk(views, [topic("wifi")], 5) == ["T-1"]
    assert await walk(views, [topic("wifi", "vpn")], 5) == ["T-1"]
    assert await walk(views, [topic("vpn")], 5) == []
