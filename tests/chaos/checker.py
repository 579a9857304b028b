"""The judge: topics against the ledger, Redis against the topics. Trusts no counter."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import loads
from typing import Any

from pydantic import ValidationError

from shared import redis_keys as keys
from shared.events import PARKING_RECORD, RecordParked, Ticket, TicketReceived
from shared.mixes import Mix
from shared.read_model import HumanValues, TicketRecord
from shared.topics import CORRECTED, LABELLED, PARKED, RECEIVED
from shared.windows import CELL_BYTES, Grain, cells
from tests.chaos import logbook
from tests.chaos.fold import INDEXED, Expected, Mixed, fold
from tests.chaos.human import Said, listen
from tests.chaos.ledger import Ledger

SOURCES = [RECEIVED, LABELLED, CORRECTED]
EXAMPLES = 12
BATCH = 1_000
ORIGIN = set(Ticket.model_fields) - {"body"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# redis-py types its answers for both decoding modes at once.
Store = Any
# Partition and offset on tickets.received.v1.
Place = tuple[int, int]


@dataclass
class Verdict:
    """What must all be 0, and the first few findings in words.

    lost: events answered with 202 that are not on the topic, received records without a label,
    tickets that Redis lacks. doubled: how much more Redis counts than there are tickets. gaps:
    jumps of src_offset. mismatched: labels of another ticket than they name the offset of, values
    in Redis that are not what the topic says.
    """

    lost: int = 0
    doubled: int = 0
    gaps: int = 0
    mismatched: int = 0
    counted: int = 0
    skipped: int = 0
    replayed: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.gaps or self.mismatched)

    def find(self, kind: str, what: str, count: int = 1) -> None:
        setattr(self, kind, getattr(self, kind) + count)
        if len(self.findings) < EXAMPLES:
            self.findings.append(f"{kind}: {what}")


async def judge(bootstrap: str, store: Store, ledger: Ledger) -> Verdict:
    """Judge a system at rest. What arrives while it is being read makes it read again."""
    while True:
        before = await logbook.ends(bootstrap, SOURCES)
        received = await logbook.read(bootstrap, RECEIVED)
        labelled = await logbook.read(bootstrap, LABELLED)
        parked = _parked(await logbook.read(bootstrap, PARKED))
        expected = fold(labelled, datetime.now(UTC))
        said = listen(await logbook.read(bootstrap, CORRECTED))
        verdict = Verdict(
            counted=expected.totals["counted"],
            skipped=expected.totals["skipped"],
            replayed=expected.replayed,
        )
        _received(verdict, received, expected, parked)
        _accepted(verdict, received, ledger)
        await asyncio.to_thread(_redis, verdict, expected, said, store)
        if before == await logbook.ends(bootstrap, SOURCES):
            return verdict


def _parked(entries: dict[int, list[logbook.Entry]]) -> set[Place]:
    """The received records that were parked, by partition and offset."""
    records = (
        PARKING_RECORD.validate_json(e.value or b"") for part in entries.values() for e in part
    )
    return {
        (record.source_partition, record.source_offset)
        for record in records
        if isinstance(record, RecordParked) and record.source_topic == RECEIVED.name
    }


def _received(
    verdict: Verdict,
    received: dict[int, list[logbook.Entry]],
    expected: Expected,
    parked: set[Place],
) -> None:
    for partition, entries in received.items():
        labels = expected.sources.get(partition, {})
        for entry in entries:
            where = f"{RECEIVED.name} {partition}@{entry.offset}"
            if entry.offset not in labels:
                verdict.find("lost", f"{where} has no label")
            elif label := labels[entry.offset]:
                _same(verdict, f"the label of {where}", _origin(label), _origin(_ticket(entry)))
    for partition, offset in sorted(expected.skips - parked):
        verdict.find("lost", f"{RECEIVED.name} {partition}@{offset} was skipped and not parked")
    if gaps := expected.totals["gaps"]:
        verdict.find("gaps", f"src_offset jumps over {gaps} records", gaps)


def _origin(ticket: Ticket | None) -> dict[str, Any]:
    """What a label repeats of its ticket; of the body it may keep less."""
    return {} if ticket is None else ticket.model_dump(include=ORIGIN)


def _ticket(entry: logbook.Entry) -> Ticket | None:
    try:
        return TicketReceived.model_validate_json(entry.value or b"")
    except ValidationError:
        return None


def _accepted(verdict: Verdict, received: dict[int, list[logbook.Entry]], ledger: Ledger) -> None:
    """Every event, not only every ticket. What is on the topic, `_received` follows from there."""
    tickets = (_ticket(entry) for entries in received.values() for entry in entries)
    there = {(ticket.ticket_id, ticket.event_id) for ticket in tickets if ticket}
    for event in sorted(ledger.accepted_events() - there):
        verdict.find("lost", f"{'/'.join(event)} got a 202 and is not on {RECEIVED.name}")


def _redis(verdict: Verdict, expected: Expected, said: Said, store: Store) -> None:
    held = [name.decode() for name in store.scan_iter(count=BATCH)]
    _totals(verdict, expected.totals + said.totals, store)
    _humans(verdict, said, store, _starting(held, "human:"))
    _positions(verdict, expected, store)
    _tickets(verdict, expected, store, _starting(held, "ticket:"))
    _windows(verdict, expected, store, _starting(held, "load:"))
    _mixes(verdict, expected, store)
    _review(verdict, expected, said, store)
    for name in {*expected.index, *_starting(held, "index:")}:
        scores = {k.decode(): int(v) for k, v in store.zscan_iter(name, count=BATCH)}
        _same(verdict, name, scores, _listed(expected, said, name, scores))
    for name in {*expected.series, *said.series, *_starting(held, "series:")}:
        members = {member.decode() for member in store.smembers(name)}
        wanted = expected.series.get(name, set()) | said.series.get(name, set())
        _same(verdict, name, members, wanted)


def _listed(
    expected: Expected, said: Said, name: str, found: Mapping[str, int]
) -> Mapping[str, int]:
    """What an index must hold, where humans had a say: as found, if that is one way to be right."""
    wanted = dict(expected.index.get(name, {}))
    for ticket_id, scores in said.index.get(name, {}).items():
        record = expected.tickets.get(ticket_id)
        created = set() if record is None else {int(record.created_at.timestamp() * 1000)}
        score = found.get(ticket_id)
        if score in scores | created:
            wanted[ticket_id] = score
    return wanted


def _humans(verdict: Verdict, said: Said, store: Store, held: Iterable[str]) -> None:
    for name in sorted({*held, *map(keys.human, said.values)}):
        value: bytes | None = store.get(name)
        wanted = said.values.get(name.removeprefix("human:"))
        if value is None:
            verdict.find("lost", f"{name} is not in Redis")
        elif HumanValues.model_validate_json(value) != wanted:
            verdict.find("mismatched", f"{name} holds {value[:200]!r}, not {wanted}")


def _totals(verdict: Verdict, expected: Counter[str], store: Store) -> None:
    stored: dict[bytes, bytes] = store.hgetall(keys.TOTALS)
    totals = {name.decode(): int(value) for name, value in stored.items()}
    for name in {*totals, *expected}:
        _same(verdict, f"totals {name}", totals.get(name, 0), expected[name])
    if totals.get("gaps"):
        verdict.find("gaps", f"the projection saw {totals['gaps']}", totals["gaps"])


def _positions(verdict: Verdict, expected: Expected, store: Store) -> None:
    for partition, wanted in expected.positions.items():
        stored = store.hmget(keys.position(LABELLED.name, partition), ["offset", "source"])
        offset, source = (None if value is None else int(value) for value in stored)
        found = (offset or 0, -1 if source is None else source)
        _same(verdict, f"position of {partition}", found, wanted)


def _tickets(verdict: Verdict, expected: Expected, store: Store, held: Iterable[str]) -> None:
    names = sorted({*held, *(keys.ticket(ticket_id) for ticket_id in expected.tickets)})
    for at in range(0, len(names), BATCH):
        part = names[at : at + BATCH]
        values: list[bytes | None] = store.mget(part)
        for name, value in zip(part, values, strict=True):
            wanted = expected.tickets.get(name.removeprefix("ticket:"))
            if value is None:
                verdict.find("lost", f"{name} is not in Redis")
            elif TicketRecord.model_validate_json(value) != wanted:
                verdict.find("mismatched", f"{name} holds {value[:200]!r}, not {wanted}")


def _windows(verdict: Verdict, expected: Expected, store: Store, held: Iterable[str]) -> None:
    days = 0
    for name in {*expected.windows, *held}:
        raw: bytes = store.get(name) or b""
        stored = Counter(dict(_cells(raw)))
        wanted = expected.windows.get(name, Counter())
        for cell in {*stored, *wanted}:
            _same(verdict, f"{name} #{cell}", stored[cell], wanted[cell])
        if name.startswith("load:d:") and ":queue:" in name:
            days += stored.total()
    # Each ticket lies in exactly one day of exactly one queue.
    if (surplus := days - expected.totals["counted"]) > 0:
        verdict.find("doubled", f"{surplus} tickets counted more than once", surplus)


def _mixes(verdict: Verdict, expected: Expected, store: Store) -> None:
    """Windows and the notes that are not yet folded into them, together."""
    while True:
        notes: list[bytes] = store.lrange(keys.MIX_NOTES, 0, -1)
        found = _noted(notes)
        for name in store.scan_iter("mix:*", count=BATCH):
            _, year, rest = name.decode().split(":", 2)
            queue, _, member = rest.partition("\x1f")
            mix = Mix.of(member)
            for cell, count in _cells(store.get(name) or b""):
                found[queue, (mix.topic, mix.priority), year, cell] += count
        if notes == store.lrange(keys.MIX_NOTES, 0, -1):  # else they were folded meanwhile
            break
    for place in {*found, *expected.mixes}:
        _same(verdict, f"mix {place}", found[place], expected.mixes[place])


def _noted(notes: Iterable[bytes]) -> Counter[Mixed]:
    found: Counter[Mixed] = Counter()
    for queue, topic, priority, day, count in (each for note in notes for each in loads(note)):
        year, cell = cells(Grain.DAY, EPOCH + timedelta(days=day))
        found[queue, (topic, priority), year, cell] += count
    return found


def _review(verdict: Verdict, expected: Expected, said: Said, store: Store) -> None:
    """Of tickets that nobody corrected: a word said before or after a second look may win."""
    found = {k.decode(): int(v) for k, v in store.zscan_iter(keys.REVIEW, count=BATCH)}
    free = {name for places in said.index.values() for name in places}
    oldest = datetime.now(UTC) - INDEXED
    free |= {name for name, each in expected.tickets.items() if each.created_at < oldest}
    for name in {*found, *expected.review} - free:
        _same(verdict, f"review of {name}", found.get(name), expected.review.get(name))


def _cells(raw: bytes) -> Iterator[tuple[int, int]]:
    for cell in range(len(raw) // CELL_BYTES):
        value = int.from_bytes(raw[cell * CELL_BYTES : (cell + 1) * CELL_BYTES], "big")
        if value:
            yield cell, value


def _same(verdict: Verdict, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        verdict.find("mismatched", f"{what} is {str(found)[:200]}, not {str(wanted)[:200]}")


def _starting(names: Iterable[str], prefix: str) -> list[str]:
    return [name for name in names if name.startswith(prefix)]
