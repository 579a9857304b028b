"""The projection: label records in, Redis commands out. Pure, so that it can be replayed in a test.

The commands are applied in one script together with the position they belong to; nothing here may
depend on anything but the records, the state before them, and settings.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import orjson

from shared import redis_keys as keys
from shared.events import LabelEvent, LabelUpdated, TicketLabelled, TicketSkipped
from shared.queues import QueueDirectory
from shared.read_model import TicketRecord
from shared.windows import DAY_SECONDS, MINUTE_SECONDS, Dimension, Grain, cell_of, period_of

# No bytes: the MessagePack that Redis has in its Lua knows none.
Argument = str | int | float
Command = tuple[Argument, ...]
Item = TypeVar("Item")
# Lua's unpack fails near 8,000 values; one command stays far below.
ITEMS_PER_COMMAND = 1_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds a ticket record and a minute window live, entries the feed keeps."""

    ticket_seconds: int
    minute_seconds: int
    feed_length: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the read side holds of a ticket before the batch."""

    event_id: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, record: TicketRecord) -> "Known":
        return cls(record.event_id, record.created_at, record.updated_at)


# (dimension, value) to minutes since the epoch to how many tickets fell on them.
Arrivals = dict[tuple[Dimension, str], dict[int, int]]


@dataclass
class Projection:
    """What one batch of one partition does. `source` is the highest src_offset after it."""

    source: int
    totals: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    arrivals: Arrivals = field(default_factory=dict)
    index: dict[str, list[Argument]] = field(default_factory=dict)
    records: list[Command] = field(default_factory=list)
    feed: list[Command] = field(default_factory=list)
    received: list[datetime] = field(default_factory=list)

    def commands(self, retention: Retention, now: datetime) -> Iterator[Command]:
        """Everything to apply, windows and indices aggregated over the batch."""
        yield from self.records
        yield from self.feed
        if self.feed:
            yield ("XTRIM", keys.FEED, "MAXLEN", "~", retention.feed_length)
        for key, entries in self.index.items():
            for run in _runs(entries, ITEMS_PER_COMMAND):
                yield ("ZADD", key, *run)
        yield from window_commands(self.arrivals, retention, now)
        for name, count in self.totals.items():
            yield ("HINCRBY", keys.TOTALS, name, count)


def project(
    events: Iterable[LabelEvent],
    source: int,
    known: Mapping[str, Known],
    directory: QueueDirectory,
    retention: Retention,
) -> Projection:
    """Fold `events` of one partition, which were read after `source` and the tickets `known`.

    The first record of a src_offset wins, so a batch that was labelled twice is counted once. A
    jump of src_offset is a lost ticket: it is counted as a gap and must never happen.
    """
    projection = Projection(source)
    seen = dict(known)
    for event in events:
        if isinstance(event, LabelUpdated):
            continue
        if event.src_offset <= projection.source:
            projection.replayed += 1
            continue
        projection.totals["gaps"] += event.src_offset - projection.source - 1
        projection.source = event.src_offset
        if isinstance(event, TicketSkipped):
            projection.totals["skipped"] += 1
        else:
            projection.totals["labelled"] += 1
            _apply(projection, event, seen, directory, retention)
    return projection


def _apply(
    projection: Projection,
    event: TicketLabelled,
    seen: dict[str, Known],
    directory: QueueDirectory,
    retention: Retention,
) -> None:
    before = seen.get(event.ticket_id)
    if before is not None and (
        event.event_id == before.event_id or event.created_at < before.updated_at
    ):
        projection.totals["duplicates"] += 1
        return
    queue = directory.route(event.queue, event.topic)
    created_at = event.created_at if before is None else before.created_at
    seen[event.ticket_id] = Known(event.event_id, created_at, event.created_at)
    places = [(Dimension.QUEUE, queue), (Dimension.TOPIC, event.topic)]
    if event.priority is not None:
        places.append((Dimension.PRIORITY, event.priority))
    created = created_at.timestamp()
    if before is None:
        projection.totals["counted"] += 1
        minute = int(created) // MINUTE_SECONDS
        for place in places:
            minutes = projection.arrivals.setdefault(place, {})
            minutes[minute] = minutes.get(minute, 0) + 1
    else:
        projection.totals["updated"] += 1
    for name in (keys.INDEX_ALL, *(keys.index(*place) for place in places)):
        projection.index.setdefault(name, []).extend((int(created * 1000), event.ticket_id))
    projection.received.append(event.received_at)
    _record(projection, event, queue, created_at, retention)


def _record(
    projection: Projection,
    event: TicketLabelled,
    queue: str,
    created_at: datetime,
    retention: Retention,
) -> None:
    record = event.__dict__ | {
        "queue": queue,
        "created_at": created_at,
        "updated_at": event.created_at,
        "model": event.model.__dict__,
    }
    del record["kind"], record["src_offset"]
    key = keys.ticket(event.ticket_id)
    text = orjson.dumps(record).decode()
    projection.records.append(("SET", key, text, "EX", retention.ticket_seconds))
    entry = orjson.dumps(
        {
            "ticket_id": event.ticket_id,
            "created_at": created_at,
            "queue": queue,
            "topic": event.topic,
            "confidence": event.topic_scores.get(event.topic, 0.0),
            "priority": event.priority,
            "subject": event.subject,
        }
    ).decode()
    projection.feed.append(("XADD", keys.FEED, "*", "data", entry))


def window_commands(arrivals: Arrivals, retention: Retention, now: datetime) -> Iterator[Command]:
    """BITFIELD increments per series, grain and period, each key touched once per batch.

    A ticket counts in the window of its own time, however late it arrives; only minutes older
    than their retention are left out, since their strings are gone.
    """
    fresh = now.timestamp() - retention.minute_seconds
    places: dict[int, list[tuple[Grain, str, int]]] = {}
    series: dict[str, list[str]] = {}
    for (dimension, value), minutes in arrivals.items():
        series.setdefault(keys.series(dimension), []).append(value)
        windows: dict[tuple[Grain, str], dict[int, int]] = {}
        for minute, count in minutes.items():
            if minute not in places:
                places[minute] = _places(minute, fresh)
            for grain, period, cell in places[minute]:
                cells = windows.setdefault((grain, period), {})
                cells[cell] = cells.get(cell, 0) + count
        for (grain, period), cells in windows.items():
            key = keys.load(grain, period, dimension, value)
            yield from _increments(key, cells)
            if grain is Grain.MINUTE:
                yield ("EXPIRE", key, retention.minute_seconds + DAY_SECONDS)
    for name, members in series.items():
        yield ("SADD", name, *members)


def _places(minute: int, fresh: float) -> list[tuple[Grain, str, int]]:
    """The windows of every grain that a minute lies in; no minute window once that is stale."""
    seconds = minute * MINUTE_SECONDS
    moment = datetime.fromtimestamp(seconds, UTC)
    return [
        (grain, period_of(grain, moment), cell_of(grain, moment))
        for grain in Grain
        if grain is not Grain.MINUTE or seconds >= fresh
    ]


def _increments(key: str, counts: Mapping[int, int]) -> Iterator[Command]:
    for run in _runs(sorted(counts.items()), ITEMS_PER_COMMAND):
        operations: list[Argument] = []
        for cell, count in run:
            operations += ("INCRBY", "u32", f"#{cell}", count)
        # Saturates instead of wrapping to zero; no queue gets four thousand million tickets.
        yield ("BITFIELD", key, "OVERFLOW", "SAT", *operations)


def _runs(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
