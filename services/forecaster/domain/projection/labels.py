"""The projection: label records in, Redis commands out. Pure, so that it can be replayed in a test.

The commands are applied in one script together with the position they belong to; nothing here may
depend on anything but the records, the state before them, and settings.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from services.forecaster.domain.projection.commands import (
    ITEMS_PER_COMMAND,
    Argument,
    Command,
    runs,
)
from services.forecaster.domain.projection.mixes import Mixed, note_commands
from services.forecaster.domain.projection.windows import Arrivals, window_commands
from shared import redis_keys as keys
from shared.events import LabelEvent, LabelUpdated, TicketLabelled, TicketSkipped
from shared.queues import QueueDirectory
from shared.read_model import TicketRecord, doubt_of
from shared.windows import DAY_SECONDS, MINUTE_SECONDS, Dimension


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds a ticket record and a minute window live, entries the feed keeps."""

    ticket_seconds: int
    minute_seconds: int
    feed_length: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the read side holds of a ticket: `record` as TicketRecord has it, ready for JSON."""

    event_id: str
    created_at: datetime
    updated_at: datetime
    record: Mapping[str, Any]

    @classmethod
    def of(cls, record: TicketRecord) -> "Known":
        return cls(record.event_id, record.created_at, record.updated_at, record.model_dump())


@dataclass
class Projection:
    """What one batch of one partition does. `source` is the highest src_offset after it."""

    source: int
    totals: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    arrivals: Arrivals = field(default_factory=dict)
    mixed: Mixed = field(default_factory=Counter)
    index: dict[str, list[Argument]] = field(default_factory=dict)
    records: list[Command] = field(default_factory=list)
    feed: list[Command] = field(default_factory=list)
    review: dict[str, int | None] = field(default_factory=dict)
    received: list[datetime] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)

    def commands(self, retention: Retention, now: datetime) -> Iterator[Command]:
        """Everything to apply, windows and indices aggregated over the batch."""
        yield from self.records
        yield from self.feed
        if self.feed:
            yield ("XTRIM", keys.FEED, "MAXLEN", "~", retention.feed_length)
        for key, entries in self.index.items():
            for run in runs(entries, ITEMS_PER_COMMAND):
                yield ("ZADD", key, *run)
        yield from _review_commands(self.review)
        yield from window_commands(self.arrivals, retention.minute_seconds, now)
        yield from note_commands(self.mixed)
        if self.topics:
            yield ("SADD", keys.series(Dimension.TOPIC), *sorted(self.topics))
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
            _improve(projection, event, seen)
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
        day = int(created) // DAY_SECONDS
        projection.mixed[queue, event.topic, event.priority or "", day] += 1
    else:
        projection.totals["updated"] += 1
    for name in (keys.INDEX_ALL, *(keys.index(*place) for place in places)):
        projection.index.setdefault(name, []).extend((int(created * 1000), event.ticket_id))
    projection.received.append(event.received_at)
    record = _record(projection, event, queue, created_at, retention)
    seen[event.ticket_id] = Known(event.event_id, created_at, event.created_at, record)
    if event.decision != "applied" or before is not None:
        projection.review[event.ticket_id] = doubt(record)


def _record(
    projection: Projection,
    event: TicketLabelled,
    queue: str,
    created_at: datetime,
    retention: Retention,
) -> dict[str, Any]:
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
    return record


def _improve(projection: Projection, event: LabelUpdated, seen: dict[str, Known]) -> None:
    """A better answer to a ticket counted before: its record changes, its load does not."""
    before = seen.get(event.ticket_id)
    if before is None or before.event_id != event.event_id:
        return  # expired, or a later event of the ticket was labelled meanwhile
    record = {**before.record, "similar": [each.__dict__ for each in event.similar]}
    if event.topic is not None:
        record |= {
            "topic": event.topic,
            "topic_scores": event.topic_scores,
            "decision": event.decision,
            "model": event.model.__dict__,
        }
        place = (int(before.created_at.timestamp() * 1000), event.ticket_id)
        # The old topic's index keeps it too: indices name candidates, the record decides.
        projection.index.setdefault(keys.index(Dimension.TOPIC, event.topic), []).extend(place)
        projection.topics.add(event.topic)
        projection.review[event.ticket_id] = doubt(record)
    seen[event.ticket_id] = replace(before, record=record)
    key = keys.ticket(event.ticket_id)
    projection.records.append(("SET", key, orjson.dumps(record).decode(), "KEEPTTL"))
    projection.totals["improved"] += 1


def doubt(record: Mapping[str, Any]) -> int | None:
    """Place of a ticket in the review list; None where the model is sure enough."""
    if record["decision"] == "applied":
        return None
    return doubt_of(record["topic_scores"].get(record["topic"], 0.0))


def _review_commands(review: Mapping[str, int | None]) -> Iterator[Command]:
    unsure = [(each, ticket_id) for ticket_id, each in review.items() if each is not None]
    for run in runs(unsure, ITEMS_PER_COMMAND):
        yield ("ZADD", keys.REVIEW, *(value for entry in run for value in entry))
    sure = [ticket_id for ticket_id, each in review.items() if each is None]
    for names in runs(sure, ITEMS_PER_COMMAND):
        yield ("ZREM", keys.REVIEW, *names)
