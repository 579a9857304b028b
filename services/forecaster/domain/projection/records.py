"""Bytes of a chunk into label records and corrections, and what cannot be one into a refusal."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from services.forecaster.domain.projection.corrections import HumanEvent
from shared.events import (
    CORRECTION_RECORD,
    LABEL_RECORD,
    AlertRaised,
    LabelEvent,
)
from shared.parking import Refused, refuse

Event = TypeVar("Event")
Raw = tuple[int, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class Batch(Generic[Event]):
    """Events in the order of their offsets, and the records that are none."""

    events: list[Event]
    refused: list[Refused]


def labels(raw: Iterable[Raw]) -> Batch[LabelEvent]:
    """Records of tickets.labelled.v1: (offset, key, value)."""
    return _read(raw, LABEL_RECORD.validate_json)


def corrections(raw: Iterable[Raw]) -> Batch[HumanEvent]:
    """Of tickets.corrected.v1, (offset, key, value), what humans set and took back."""
    read = _read(raw, CORRECTION_RECORD.validate_json)
    said = [event for event in read.events if isinstance(event, HumanEvent)]
    return Batch(said, read.refused)


def alerts(raw: Iterable[Raw]) -> Batch[AlertRaised]:
    """Records of alerts.raised.v1: (offset, key, value)."""
    return _read(raw, AlertRaised.model_validate_json)


def _read(raw: Iterable[Raw], parse: Callable[[bytes], Event]) -> Batch[Event]:
    batch: Batch[Event] = Batch([], [])
    for offset, key, value in raw:
        if value is None:
            refusal = Refused(offset, key, value, "empty", "the record has no value")
            batch.refused.append(refusal)
            continue
        try:
            batch.events.append(parse(value))
        except ValidationError as error:
            batch.refused.append(refuse(offset, key, value, error))
    return batch
