"""What humans set, recomputed from tickets.corrected.v1 without a line of the projection."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from shared.events import CORRECTION_RECORD, CorrectionsUndone, TicketCorrected
from shared.read_model import HumanValues, HumanWord
from tests.chaos.logbook import Entry

DIMENSIONS = ("topic", "priority", "queue")


@dataclass
class Said:
    """values: by ticket id, what stands. index: by key and ticket, scores that it may have.

    A correction may be projected before its ticket: it is then listed by its own time.
    """

    values: dict[str, HumanValues] = field(default_factory=dict)
    index: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    series: dict[str, set[str]] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)


def listen(partitions: Mapping[int, Sequence[Entry]]) -> Said:
    """Read the log in order; the first record of an event id counts."""
    said = Said()
    standing: dict[str, list[TicketCorrected]] = {}
    known: set[str] = set()
    for entry in (each for entries in partitions.values() for each in entries):
        try:
            event = CORRECTION_RECORD.validate_json(entry.value or b"")
        except ValidationError:
            continue
        if isinstance(event, TicketCorrected) and event.event_id not in known:
            known.add(event.event_id)
            standing.setdefault(event.ticket_id, []).append(event)
            said.totals["corrected"] += 1
            _list(said, event)
        elif isinstance(event, CorrectionsUndone):
            said.totals["undone"] += _undo(standing, event)
    said.values = {name: _in_force(name, events) for name, events in standing.items() if events}
    return said


def _list(said: Said, event: TicketCorrected) -> None:
    score = int(event.corrected_at.timestamp() * 1000)
    for dimension in DIMENSIONS:
        value = getattr(event, dimension)
        if value is not None:
            places = said.index.setdefault(f"index:{dimension}:{value}", {})
            places.setdefault(event.ticket_id, set()).add(score)
            said.series.setdefault(f"series:{dimension}", set()).add(value)


def _undo(standing: dict[str, list[TicketCorrected]], undo: CorrectionsUndone) -> int:
    removed = 0
    for name, events in standing.items():
        kept = [
            event
            for event in events
            if event.event_id != undo.correction
            and (undo.corrector is None or event.actor != undo.corrector)
        ]
        removed += len(events) - len(kept)
        standing[name] = kept
    return removed


def _in_force(ticket_id: str, events: list[TicketCorrected]) -> HumanValues:
    words = sorted(events, key=lambda event: event.corrected_at)
    values: dict[str, str] = {}
    for word in words:
        values |= {n: v for n in DIMENSIONS if (v := getattr(word, n)) is not None}
    return HumanValues(
        ticket_id=ticket_id,
        event_id=words[-1].event_id,
        corrected_at=words[-1].corrected_at,
        actor=words[-1].actor,
        words=tuple(HumanWord.model_validate(word, from_attributes=True) for word in words),
        **values,
    )
