"""What humans set, projected beside the labels: the two never overwrite each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.forecaster.domain.projection.commands import Command
from services.forecaster.domain.projection.labels import Retention
from shared import redis_keys as keys
from shared.events import TicketCorrected
from shared.read_model import HumanValues


@dataclass
class Corrections:
    """What one batch of corrections does."""

    applied: int = 0
    duplicates: int = 0
    commands: list[Command] = field(default_factory=list)


def project_corrections(
    events: Iterable[TicketCorrected],
    known: Mapping[str, HumanValues],
    created: Mapping[str, datetime],
    retention: Retention,
) -> Corrections:
    """Merge `events` over the values `known`; the latest word on each field wins.

    created: when the tickets that have a label were created, for their place in the index. The
    index only grows here: it lists candidates, and the reader filters by the effective value.
    """
    result = Corrections()
    latest = dict(known)
    for event in events:
        before = latest.get(event.ticket_id)
        if before is not None and (
            before.event_id == event.event_id or event.corrected_at < before.corrected_at
        ):
            result.duplicates += 1
            continue
        merged = _merge(before, event)
        latest[event.ticket_id] = merged
        result.applied += 1
        key = keys.human(event.ticket_id)
        text = merged.model_dump_json()
        result.commands.append(("SET", key, text, "EX", retention.ticket_seconds))
        if event.topic is not None:
            result.commands.append(("ZREM", keys.REVIEW, event.ticket_id))
        score = int(created.get(event.ticket_id, event.corrected_at).timestamp() * 1000)
        for dimension in ("topic", "priority", "queue"):
            value = getattr(event, dimension)
            if value is not None:
                index = keys.index(dimension, value)
                result.commands.append(("ZADD", index, score, event.ticket_id))
                result.commands.append(("SADD", keys.series(dimension), value))
    if result.applied:
        result.commands.append(("HINCRBY", keys.TOTALS, "corrected", result.applied))
    return result


def _merge(before: HumanValues | None, event: TicketCorrected) -> HumanValues:
    def latest(name: str) -> str | None:
        value: str | None = getattr(event, name)
        return getattr(before, name) if value is None and before is not None else value

    return HumanValues(
        ticket_id=event.ticket_id,
        event_id=event.event_id,
        corrected_at=event.corrected_at,
        actor=event.actor,
        topic=latest("topic"),
        priority=latest("priority"),
        queue=latest("queue"),
    )
