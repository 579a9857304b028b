"""Names of parked records, and what a parked topic folds to."""

from datetime import UTC, datetime, timedelta

import pytest

from services.classifier.adapters.parked_topic import Place, folded, resolved
from shared.errors import BadRequest
from shared.events import RecordParked

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _parked(offset: int, at: datetime = NOON, topic: str = "tickets.received.v1") -> RecordParked:
    return RecordParked(
        source_topic=topic,
        source_partition=3,
        source_offset=offset,
        parked_at=at,
        reason="not-json",
        detail="record: Invalid JSON",
        value="e30=",
        size=2,
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("3@17", Place("tickets.received.v1", 3, 17)),
        ("tickets.labelled.v1:0@5", Place("tickets.labelled.v1", 0, 5)),
    ],
)
def test_a_place_reads_what_it_writes(text: str, place: Place) -> None:
    assert Place.parse(text) == place
    assert str(place) == text


@pytest.mark.parametrize("text", ["", "3", "@3", "3@", "a b:3@1", "3@-1"])
def test_a_name_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="parked list"):
        Place.parse(text)


def test_a_record_parked_twice_is_one_and_the_oldest_comes_first() -> None:
    later = NOON + timedelta(minutes=1)
    records = folded([_parked(9, later), _parked(4), _parked(9, later + timedelta(minutes=1))])
    assert [(each.place.offset, each.at) for each in records] == [(4, NOON), (9, later)]
    assert [each.kept for each in records] == [True, True]


def test_a_decision_stays_whatever_is_parked_after_it() -> None:
    (parked,) = folded([_parked(4)])
    first = resolved(parked, "replayed", NOON)
    second = resolved(parked, "discarded", NOON + timedelta(hours=1))
    (record,) = folded([_parked(4), first, _parked(4), second])
    assert (record.resolution, record.resolved_at) == ("replayed", NOON)


def test_a_decision_about_nothing_is_no_record() -> None:
    (parked,) = folded([_parked(4)])
    assert folded([resolved(parked, "discarded", NOON)]) == []
