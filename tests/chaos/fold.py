"""What Redis must hold, recomputed from tickets.labelled.v1 without a line of the projection."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from shared.events import LABEL_RECORD, LabelUpdated, Ticket, TicketLabelled
from shared.queues import QueueDirectory
from shared.read_model import TicketRecord
from shared.windows import Grain, cells
from tests.chaos.logbook import Entry

MINUTES_KEPT = timedelta(days=8)
INDEXED = timedelta(days=30)
# Queue, topic and priority, year, day of the year from 0.
Mixed = tuple[str, tuple[str, str], str, int]


@dataclass
class Expected:
    """The read side as the topic says it must be.

    mixes: tickets per queue, topic with priority, year and day of it. review: doubts of unsure
    tickets, in millionths. sources: per partition the event that each src_offset was labelled as,
    None where it was skipped. replayed: records that repeat an earlier one.
    """

    totals: Counter[str] = field(default_factory=Counter)
    tickets: dict[str, TicketRecord] = field(default_factory=dict)
    windows: dict[str, Counter[int]] = field(default_factory=dict)
    index: dict[str, dict[str, int]] = field(default_factory=dict)
    series: dict[str, set[str]] = field(default_factory=dict)
    mixes: Counter[Mixed] = field(default_factory=Counter)
    review: dict[str, int] = field(default_factory=dict)
    positions: dict[int, tuple[int, int]] = field(default_factory=dict)
    sources: dict[int, dict[int, Ticket | None]] = field(default_factory=dict)
    skips: set[tuple[int, int]] = field(default_factory=set)
    applied: int = 0
    replayed: int = 0


def fold(partitions: Mapping[int, Sequence[Entry]], now: datetime) -> Expected:
    """Read every partition in order; the first record of a src_offset counts."""
    expected = Expected()
    for partition, entries in partitions.items():
        seen = expected.sources.setdefault(partition, {})
        last = -1
        for entry in entries:
            try:
                record = LABEL_RECORD.validate_json(entry.value or b"")
            except ValidationError:
                continue
            if isinstance(record, LabelUpdated):
                _improve(expected, record, now)
                continue
            if record.src_offset in seen or record.src_offset <= last:
                expected.replayed += 1
                continue
            expected.totals["gaps"] += record.src_offset - last - 1
            last = record.src_offset
            seen[last] = record if isinstance(record, TicketLabelled) else None
            if isinstance(record, TicketLabelled):
                _label(expected, record, now)
            else:
                expected.totals["skipped"] += 1
                expected.skips.add((partition, last))
        expected.positions[partition] = (entries[-1].offset + 1 if entries else 0, last)
    return expected


def _label(expected: Expected, event: TicketLabelled, now: datetime) -> None:
    expected.totals["labelled"] += 1
    before = expected.tickets.get(event.ticket_id)
    if before and (event.event_id == before.event_id or event.created_at < before.updated_at):
        expected.totals["duplicates"] += 1
        return
    queue = QueueDirectory().route(event.queue, event.topic)
    created = before.created_at if before else event.created_at
    values = event.model_dump() | {
        "queue": queue,
        "created_at": created,
        "updated_at": event.created_at,
    }
    expected.tickets[event.ticket_id] = TicketRecord.model_validate(values)
    expected.applied += 1
    expected.totals["updated" if before else "counted"] += 1
    _review(expected, event.ticket_id)
    if before is None:
        year, day = cells(Grain.DAY, created.astimezone(UTC))
        expected.mixes[queue, (event.topic, event.priority or ""), year, day] += 1
    named = {"queue": queue, "topic": event.topic, "priority": event.priority}
    for dimension, value in named.items():
        if value is not None:
            _place(expected, event.ticket_id, created, f"index:{dimension}:{value}", now)
            if before is None:
                expected.series.setdefault(f"series:{dimension}", set()).add(value)
                _count(expected, f"{dimension}:{value}", created, now)
    _place(expected, event.ticket_id, created, "index:all", now)


def _improve(expected: Expected, event: LabelUpdated, now: datetime) -> None:
    before = expected.tickets.get(event.ticket_id)
    if before is None or before.event_id != event.event_id:
        return
    values = before.model_dump() | {"similar": event.similar}
    if event.topic is not None:
        values |= event.model_dump(include={"topic", "topic_scores", "decision", "model"})
        _place(expected, event.ticket_id, before.created_at, f"index:topic:{event.topic}", now)
        expected.series.setdefault("series:topic", set()).add(event.topic)
    expected.tickets[event.ticket_id] = TicketRecord.model_validate(values)
    if event.topic is not None:
        _review(expected, event.ticket_id)
    expected.totals["improved"] += 1


def _review(expected: Expected, ticket_id: str) -> None:
    record = expected.tickets[ticket_id]
    expected.review.pop(ticket_id, None)
    if record.decision != "applied":
        sure = record.topic_scores.get(record.topic, 0.0)
        expected.review[ticket_id] = round((1 - sure) * 1_000_000)


def _place(expected: Expected, ticket_id: str, created: datetime, key: str, now: datetime) -> None:
    if created > now - INDEXED:
        score = int(created.timestamp() * 1000)
        expected.index.setdefault(key, {})[ticket_id] = score


def _count(expected: Expected, series: str, created: datetime, now: datetime) -> None:
    moment = created.astimezone(UTC)
    for grain in Grain:
        if grain is Grain.MINUTE and moment < now - MINUTES_KEPT:
            continue
        period, cell = cells(grain, moment)
        key = f"load:{grain.value}:{period}:{series}"
        expected.windows.setdefault(key, Counter())[cell] += 1
