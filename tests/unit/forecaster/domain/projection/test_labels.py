"""The projection as a fold: once per source offset, once per event, in the window of its time."""

from datetime import UTC, datetime, timedelta

from services.forecaster.domain.projection.commands import Command
from services.forecaster.domain.projection.labels import Known, Projection, Retention, project
from services.forecaster.domain.projection.windows import Arrivals, window_commands
from shared.events import LabelEvent, TicketSkipped
from shared.queues import UNROUTED, QueueDirectory
from shared.read_model import TicketRecord
from shared.windows import Dimension
from tests.builders import NOON, a_label, an_update

RETENTION = Retention(ticket_seconds=100, minute_seconds=86_400, feed_length=10)
DIRECTORY = QueueDirectory(topics={"vpn": "IT/Network"})


def fold(
    *events: LabelEvent,
    source: int = -1,
    known: dict[str, Known] | None = None,
) -> Projection:
    return project(events, source, known or {}, DIRECTORY, RETENTION)


def commands(projection: Projection) -> list[Command]:
    return list(projection.commands(RETENTION, NOON))


def test_each_ticket_is_counted_once_by_queue_topic_and_priority() -> None:
    projection = fold(a_label(0), a_label(1, queue="HR"), a_label(2, priority=None))
    increments = {c[1]: c[4:8] for c in commands(projection) if c[0] == "BITFIELD"}
    hour = 60 * 24 + 12  # the second of March is day 60 of 2026
    assert increments["load:h:2026:queue:IT/Network"] == ("INCRBY", "u32", f"#{hour}", 2)
    assert increments["load:h:2026:queue:HR"] == ("INCRBY", "u32", f"#{hour}", 1)
    assert increments["load:d:2026:topic:vpn"] == ("INCRBY", "u32", "#60", 3)
    assert increments["load:m:20260302:priority:high"] == ("INCRBY", "u32", "#720", 2)
    assert projection.totals["counted"] == projection.totals["labelled"] == 3


def test_a_ticket_without_queue_and_map_is_unrouted() -> None:
    (write,) = fold(a_label(0, topic="other")).records
    assert TicketRecord.model_validate_json(str(write[2])).queue == UNROUTED


def test_the_first_record_of_a_source_offset_wins() -> None:
    again = a_label(1, event_id="another", ticket_id="T-9", topic="printer")
    projection = fold(a_label(0), a_label(1), again, a_label(0))
    assert (projection.source, projection.replayed) == (1, 2)
    assert projection.totals["counted"] == 2


def test_what_was_applied_before_is_not_applied_again() -> None:
    projection = fold(a_label(0), a_label(1), a_label(2), source=1)
    assert (projection.totals["counted"], projection.replayed) == (1, 2)


def test_a_jump_is_counted_as_lost_tickets() -> None:
    projection = fold(a_label(0), a_label(4))
    assert projection.totals["gaps"] == 3
    assert projection.source == 4


def test_a_skip_closes_the_hole_and_counts_nothing() -> None:
    projection = fold(a_label(0), TicketSkipped(src_offset=1, reason="not-json"), a_label(2))
    assert (projection.totals["gaps"], projection.totals["skipped"]) == (0, 1)
    assert projection.totals["counted"] == 2


def test_the_same_event_posted_twice_changes_nothing() -> None:
    twin = a_label(1, event_id="e-0", ticket_id="T-0")
    projection = fold(a_label(0), twin)
    assert (projection.totals["counted"], projection.totals["duplicates"]) == (1, 1)
    known = {"T-0": Known("e-0", NOON, NOON, {})}
    assert fold(twin, source=0, known=known).records == []


def test_a_later_event_updates_the_ticket_but_counts_no_second_time() -> None:
    later = a_label(1, event_id="e-9", ticket_id="T-0", created_at=NOON + timedelta(hours=3))
    projection = fold(a_label(0), later)
    assert (projection.totals["counted"], projection.totals["updated"]) == (1, 1)
    assert projection.arrivals[Dimension.TOPIC, "vpn"] == {int(NOON.timestamp()) // 60: 1}
    assert TicketRecord.model_validate_json(str(projection.records[1][2])).created_at == NOON


def test_an_event_that_arrives_after_a_newer_one_changes_nothing() -> None:
    newer = a_label(0, created_at=NOON + timedelta(hours=1))
    older = a_label(1, event_id="e-9", ticket_id="T-0", created_at=NOON)
    projection = fold(newer, older)
    assert projection.totals["duplicates"] == 1


def test_a_late_ticket_counts_in_its_own_window_without_a_minute() -> None:
    minute = int((NOON - timedelta(days=400)).timestamp()) // 60
    arrivals: Arrivals = {
        (Dimension.QUEUE, "HR"): {minute: 2},
        (Dimension.TOPIC, "vpn"): {minute: 2},
    }
    found = {
        c[1]
        for c in window_commands(arrivals, RETENTION.minute_seconds, NOON)
        if c[0] == "BITFIELD"
    }
    assert found == {f"load:{g}:2025:{s}" for g in "hd" for s in ("queue:HR", "topic:vpn")}


def test_a_year_of_hours_has_its_full_length_from_its_first_ticket_on() -> None:
    found = {c[1]: c[-4:] for c in commands(fold(a_label(0))) if c[0] == "BITFIELD"}
    assert found["load:h:2026:topic:vpn"] == ("INCRBY", "u32", f"#{366 * 24 - 1}", 0)
    last = datetime(2028, 12, 31, 23, tzinfo=UTC)
    [command] = [
        c
        for c in commands(fold(a_label(0, created_at=last)))
        if c[0] == "BITFIELD" and c[1] == "load:h:2028:topic:vpn"
    ]
    assert command[4:] == ("INCRBY", "u32", f"#{366 * 24 - 1}", 1)


def test_no_command_is_too_long_for_a_script() -> None:
    events = [a_label(n, created_at=NOON + timedelta(minutes=n)) for n in range(5_000)]
    assert max(map(len, commands(fold(*events)))) < 8_000 - 1


def records(projection: Projection) -> list[TicketRecord]:
    return [TicketRecord.model_validate_json(str(each[2])) for each in projection.records]


def test_an_update_changes_the_record_and_never_the_load() -> None:
    alone, improved = fold(a_label(0)), fold(a_label(0), an_update())
    first, second = records(improved)
    assert (first.topic, second.topic, second.model.name) == ("vpn", "printer", "semantic")
    assert second.similar[0].ticket_id == "T-7"
    assert improved.arrivals == alone.arrivals
    assert improved.totals == alone.totals | {"improved": 1}
    assert improved.records[1][3] == "KEEPTTL"
    assert ("SADD", "series:topic", "printer") in commands(improved)
    assert "T-0" in improved.index["index:topic:printer"]


def test_an_update_that_only_links_leaves_the_label() -> None:
    known = {"T-0": Known.of(records(fold(a_label(0)))[0])}
    projection = fold(an_update(topic=None, topic_scores={}), source=0, known=known)
    (record,) = records(projection)
    assert (record.topic, record.model.name) == ("vpn", "m")
    assert record.similar[0].similarity == 0.9
    assert not projection.review


def test_an_update_of_an_expired_or_overtaken_label_is_left_out() -> None:
    later = a_label(1, ticket_id="T-0", event_id="e-1", created_at=NOON + timedelta(hours=1))
    projection = fold(a_label(0), later, an_update(), an_update(ticket_id="T-404"))
    assert (len(projection.records), projection.totals["improved"]) == (2, 0)


def test_what_is_only_suggested_is_up_for_review_least_sure_first() -> None:
    projection = fold(
        a_label(0),
        a_label(1, decision="suggested"),
        a_label(2, decision="shadow", topic_scores={"vpn": 0.5}),
    )
    assert ("ZADD", "review", 100_000, "T-1", 500_000, "T-2") in commands(projection)


def test_an_update_that_is_sure_takes_the_ticket_off_the_review() -> None:
    projection = fold(a_label(0, decision="suggested"), an_update(decision="applied"))
    assert ("ZREM", "review", "T-0") in commands(projection)
    assert not [each for each in commands(projection) if each[:2] == ("ZADD", "review")]
