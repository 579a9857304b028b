"""In-memory twins of the ports. Each passes the contract tests its real one passes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson

from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.forecaster.adapters.read_side import Position
from services.forecaster.domain.projection.commands import Command
from services.forecaster.domain.projection.labels import Known
from shared.events import AlertRaised
from shared.read_model import HumanValues, TicketRecord
from shared.streaming.producer import Entry


@dataclass
class InMemoryOutbox:
    """Keeps what was sent, by (topic, partition)."""

    sent: dict[tuple[str, int], list[Entry]] = field(default_factory=dict)

    async def send(self, topic: str, partition: int, entries: Iterable[Entry]) -> None:
        self.sent.setdefault((topic, partition), []).extend(entries)

    def values(self, topic: str, partition: int) -> list[dict[str, object]]:
        return [orjson.loads(value) for _, value in self.sent.get((topic, partition), [])]


@dataclass
class InMemoryReadSide:
    """Compares and applies like the script; understands the commands that are read back."""

    positions: dict[tuple[str, int], Position] = field(default_factory=dict)
    strings: dict[str, str] = field(default_factory=dict)
    applied: list[Command] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)
    members: dict[str, set[str]] = field(default_factory=dict)

    async def position(self, topic: str, partition: int) -> Position:
        return self.positions.get((topic, partition), Position())

    async def offsets(self, topic: str, partitions: Sequence[int]) -> list[int]:
        return [(await self.position(topic, partition)).offset for partition in partitions]

    async def tickets(self, ids: Sequence[str]) -> Mapping[str, Known]:
        found = {i: self.strings.get(f"ticket:{i}") for i in ids}
        return {i: Known.of(TicketRecord.model_validate_json(v)) for i, v in found.items() if v}

    async def humans(self, ids: Sequence[str]) -> Mapping[str, HumanValues]:
        found = {i: self.strings.get(f"human:{i}") for i in ids}
        return {i: HumanValues.model_validate_json(v) for i, v in found.items() if v}

    async def placed(self, corrections: Sequence[str]) -> Mapping[str, str]:
        found = {i: self.strings.get(f"correction:{i}") for i in corrections}
        return {i: ticket_id for i, ticket_id in found.items() if ticket_id}

    async def corrected_by(self, actors: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return {actor: sorted(self.members.get(f"corrector:{actor}", ())) for actor in actors}

    async def alerts(self, ids: Sequence[str]) -> Mapping[str, AlertRaised]:
        found = {i: self.strings.get(f"alert:{i}") for i in ids}
        return {i: AlertRaised.model_validate_json(v) for i, v in found.items() if v}

    async def apply_new(
        self,
        topic: str,
        partition: int,
        expected: int,
        after: Position,
        what: Iterable[Command],
        *,
        unseen: Collection[str],
    ) -> int | Mapping[str, Known]:
        stands = (await self.position(topic, partition)).offset == expected
        if stands and (known := await self.tickets(list(unseen))):
            return known
        return await self.apply(topic, partition, expected, after, what)

    async def mix_notes(self, most: int) -> list[bytes]:
        return self.notes[:most]

    async def apply(
        self, topic: str, partition: int, expected: int, after: Position, what: Iterable[Command]
    ) -> int:
        at = (await self.position(topic, partition)).offset
        if at != expected:
            return at
        for command in what:
            self.applied.append(command)
            if command[0] == "SET":
                value = command[2]
                assert isinstance(value, str)
                self.strings[str(command[1])] = value
            elif command[0] == "DEL":
                self.strings.pop(str(command[1]), None)
                self.members.pop(str(command[1]), None)
            elif command[0] == "ZADD":
                self.members.setdefault(str(command[1]), set()).update(map(str, command[3::2]))
            elif command[0] == "RPUSH":
                self.notes.append(str(command[2]).encode())
            elif command[0] == "LTRIM":
                self.notes = self.notes[int(command[2]) :]
        self.positions[topic, partition] = after
        return after.offset

    def clear(self) -> None:
        """What FLUSHALL does."""
        self.positions.clear()
        self.strings.clear()
        self.members.clear()
        self.notes.clear()


class ConstantLabeller:
    """Always the same topic; raises for a text that holds `poison`."""

    identity = ModelIdentity("constant", "1", "0")

    def __init__(self, poison: str | None = None) -> None:
        self._poison = poison

    def label(self, texts: Sequence[str]) -> Labelling:
        if self._poison is not None and any(self._poison in text for text in texts):
            raise ValueError("this model cannot read that")
        rows = np.tile(np.array([[0.75, 0.25]], np.float32), (len(texts), 1))
        return Labelling(HeadScores(("vpn", "printer"), rows), None)


@dataclass
class InMemoryStore:
    """The forecaster's Store, in dictionaries that a test may share with a MemoryViews."""

    sets: dict[str, set[str]] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, dict[str, bytes]] = field(default_factory=dict)
    scores: dict[str, dict[str, int]] = field(default_factory=dict)

    async def members(self, key: str) -> frozenset[str]:
        return frozenset(self.sets.get(key, ()))

    async def strings(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self.stored.get(key) for key in keys]

    async def slices(self, keys: Sequence[str], start: int, end: int) -> list[bytes]:
        return [self.stored.get(key, b"")[start:end] for key in keys]

    async def scored(self, key: str, low: int, high: int, most: int) -> list[str]:
        scores = sorted((score, member) for member, score in self.scores.get(key, {}).items())
        return [member for score, member in scores if low <= score < high][:most]

    async def put(
        self, values: Mapping[str, bytes], seconds: int, drop: Sequence[str] = ()
    ) -> None:
        for key in drop:
            self.stored.pop(key, None)
        self.stored.update(values)

    async def fields(self, key: str) -> dict[str, bytes]:
        return dict(self.hashes.get(key, {}))

    async def has_field(self, key: str, field: str) -> bool:
        return field in self.hashes.get(key, {})

    async def set_field(self, key: str, field: str, value: bytes) -> None:
        self.hashes.setdefault(key, {})[field] = value

    async def drop_fields(self, key: str, fields: Sequence[str]) -> int:
        content = self.hashes.get(key, {})
        return sum(content.pop(name, None) is not None for name in set(fields))
