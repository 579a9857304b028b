"""What humans set, projected beside the labels: the two never overwrite each other."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.forecaster.domain.projection.commands import Command
from services.forecaster.domain.projection.labels import Known, Retention, doubt
from shared import redis_keys as keys
from shared.events import CorrectionsUndone, TicketCorrected
from shared.read_model import HumanValues, HumanWord

HumanEvent = TicketCorrected | CorrectionsUndone
DIMENSIONS = ("topic", "priority", "queue")
# Of one ticket; the oldest two beyond that become one and can be taken back together only.
MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """What the read side holds of everything that a batch may touch.

    humans, tickets: by ticket id. placed: ticket id by the event id of a correction that was ever
    projected. correctors: the ids of all tickets that somebody corrected, by name.
    """

    humans: Mapping[str, HumanValues] = field(default_factory=dict)
    tickets: Mapping[str, Known] = field(default_factory=dict)
    placed: Mapping[str, str] = field(default_factory=dict)
    correctors: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass
class Corrections:
    """What one batch of corrections does. undone: how many were taken back."""

    applied: int = 0
    duplicates: int = 0
    undone: int = 0
    commands: list[Command] = field(default_factory=list)


def project_corrections(
    events: Iterable[HumanEvent], standing: Standing, retention: Retention
) -> Corrections:
    """Add to what stands and take from it, in the order of the log; the latest word is in force.

    Values are those of the corrections that still stand, so that taking one back brings back what
    it had replaced. The topic's index only grows here: it lists candidates, and the reader filters
    by the values in force.
    """
    batch = _Batch(standing, retention)
    for event in events:
        if isinstance(event, CorrectionsUndone):
            batch.undo(event)
        else:
            batch.correct(event)
    return batch.finished()


class _Batch:
    """The state that a batch moves on, and the commands that follow from it."""

    def __init__(self, standing: Standing, retention: Retention) -> None:
        self._standing = standing
        self._retention = retention
        self._placed = dict(standing.placed)
        self._correctors = {name: set(ids) for name, ids in standing.correctors.items()}
        self._words = {i: words_of(values) for i, values in standing.humans.items()}
        self._touched: dict[str, None] = {}
        self._result = Corrections()

    def correct(self, event: TicketCorrected) -> None:
        words = self._words.setdefault(event.ticket_id, [])
        if event.event_id in self._placed or any(w.event_id == event.event_id for w in words):
            self._result.duplicates += 1
            return
        self._placed[event.event_id] = event.ticket_id
        self._correctors.setdefault(event.actor, set()).add(event.ticket_id)
        place = bisect_right(words, event.corrected_at, key=lambda word: word.corrected_at)
        words.insert(place, HumanWord.model_validate(event, from_attributes=True))
        while len(words) > MOST_WORDS:
            words[:2] = [_joined(*words[:2])]
        self._touched[event.ticket_id] = None
        self._result.applied += 1
        self._index(event)

    def undo(self, event: CorrectionsUndone) -> None:
        tickets = set(self._correctors.get(event.corrector or "", ()))
        if event.correction is not None and event.correction in self._placed:
            tickets.add(self._placed[event.correction])
        for ticket_id in sorted(tickets):
            before = self._words.get(ticket_id, [])
            kept = [
                word
                for word in before
                if word.event_id != event.correction
                and (event.corrector is None or word.actor != event.corrector)
            ]
            if len(kept) < len(before):
                self._words[ticket_id] = kept
                self._touched[ticket_id] = None
                self._result.undone += len(before) - len(kept)
        if event.corrector is not None:
            self._correctors.pop(event.corrector, None)
            self._result.commands.append(("DEL", keys.corrector(event.corrector)))

    def finished(self) -> Corrections:
        """Everything, with the values that each touched ticket ends up with."""
        result = self._result
        for ticket_id in self._touched:
            values = in_force(ticket_id, self._words[ticket_id])
            result.commands += self._kept(ticket_id, values)
        for name, count in (("corrected", result.applied), ("undone", result.undone)):
            if count:
                result.commands.append(("HINCRBY", keys.TOTALS, name, count))
        return result

    def _index(self, event: TicketCorrected) -> None:
        seconds = self._retention.ticket_seconds
        received = int(event.received_at.timestamp() * 1000)
        known = self._standing.tickets.get(event.ticket_id)
        created = event.corrected_at if known is None else known.created_at
        corrector = keys.corrector(event.actor)
        commands = self._result.commands
        commands += [
            ("SET", keys.correction(event.event_id), event.ticket_id, "EX", seconds),
            ("ZADD", corrector, received, event.ticket_id),
            ("ZREMRANGEBYSCORE", corrector, "-inf", received - 1000 * seconds),
            ("EXPIRE", corrector, seconds),
        ]
        for dimension in DIMENSIONS:
            value = getattr(event, dimension)
            if value is not None:
                score = int(created.timestamp() * 1000)
                commands.append(("ZADD", keys.index(dimension, value), score, event.ticket_id))
                commands.append(("SADD", keys.series(dimension), value))

    def _kept(self, ticket_id: str, values: HumanValues | None) -> list[Command]:
        key = keys.human(ticket_id)
        before = self._standing.humans.get(ticket_id)
        if values is None:
            commands: list[Command] = [("DEL", key)]
        else:
            text = values.model_dump_json()
            commands = [("SET", key, text, "EX", self._retention.ticket_seconds)]
        if values is not None and values.topic is not None:
            commands.append(("ZREM", keys.REVIEW, ticket_id))
        elif before is not None and before.topic is not None:
            # Nobody's word on its topic is left: it awaits one again where the model is unsure.
            known = self._standing.tickets.get(ticket_id)
            place = doubt(known.record) if known else None
            if place is not None:
                commands.append(("ZADD", keys.REVIEW, place, ticket_id))
        return commands


def words_of(values: HumanValues) -> list[HumanWord]:
    """The corrections that stand; what was kept before they were counts as one."""
    return list(values.words) or [HumanWord.model_validate(values, from_attributes=True)]


def in_force(ticket_id: str, words: Sequence[HumanWord]) -> HumanValues | None:
    """The latest word on each value; None where no correction stands."""
    if not words:
        return None
    latest = words[-1]
    values = {
        name: next((v for w in reversed(words) if (v := getattr(w, name)) is not None), None)
        for name in DIMENSIONS
    }
    return HumanValues(
        ticket_id=ticket_id,
        event_id=latest.event_id,
        corrected_at=latest.corrected_at,
        actor=latest.actor,
        words=tuple(words),
        **values,
    )


def _joined(older: HumanWord, newer: HumanWord) -> HumanWord:
    kept = {n: getattr(older, n) for n in DIMENSIONS if getattr(newer, n) is None}
    return newer.model_copy(update=kept)
