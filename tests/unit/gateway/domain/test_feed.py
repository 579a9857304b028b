"""Ids, bounds and filters of the live feed."""

import pytest

from services.gateway.domain.feed import BEGINNING, FeedBounds, FeedFilter, FeedId
from shared.errors import BadRequest
from tests.unit.gateway.builders import an_entry


@pytest.mark.parametrize(("text", "expected"), [("0", (0, 0)), ("5-1", (5, 1)), ("7", (7, 0))])
def test_ids_are_read(text: str, expected: tuple[int, int]) -> None:
    assert FeedId.parse(text) == expected


def test_an_id_is_written_as_redis_does() -> None:
    assert str(FeedId.parse("1772442845231-3")) == "1772442845231-3"


@pytest.mark.parametrize("text", ["", "x", "1-", "-1", "1-2-3", "$", "٣", str(2**64), f"1-{2**64}"])
def test_what_no_id_can_be(text: str) -> None:
    with pytest.raises(BadRequest, match="last `id:`"):
        FeedId.parse(text)


@pytest.mark.parametrize(
    ("first", "last", "position", "lost"),
    [
        (FeedId(4, 0), FeedId(9, 0), FeedId(3, 0), True),
        (FeedId(4, 0), FeedId(9, 0), FeedId(4, 0), False),
        (FeedId(4, 0), FeedId(9, 0), FeedId(9, 0), False),
        (FeedId(4, 0), FeedId(9, 0), FeedId(9, 1), True),
        (None, BEGINNING, BEGINNING, False),
        (None, BEGINNING, FeedId(1, 0), True),
        (None, FeedId(5, 0), FeedId(4, 0), True),
        (None, FeedId(5, 0), FeedId(5, 0), False),
    ],
)
def test_whether_labels_are_gone(
    first: FeedId | None, last: FeedId, position: FeedId, lost: bool
) -> None:
    assert FeedBounds(first, last).lost_after(position) is lost


def test_a_filter_by_topic() -> None:
    assert FeedFilter(topic="vpn")(an_entry())
    assert not FeedFilter(topic="wifi")(an_entry())


@pytest.mark.parametrize(
    ("queue", "passes"),
    [
        ("IT", True),
        ("IT/Network", True),
        ("IT/Net", False),
        ("IT/Network/VPN", False),
        ("I", False),
    ],
)
def test_a_filter_by_queue_includes_everything_below(queue: str, passes: bool) -> None:
    assert FeedFilter(queue=queue)(an_entry(queue="IT/Network")) is passes
