"""The stages against an in-memory read side: compare, apply, rewind."""

from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition

from services.forecaster.domain.projection.labels import Retention
from services.forecaster.handlers import AlertProjection, CorrectionProjection, LabelProjection
from shared.queues import QueueDirectory
from shared.streaming import Chunk, Rewind
from shared.topics import ALERTS, CORRECTED, LABELLED, PARKED
from tests.builders import NOON, a_correction, a_label, an_alert
from tests.fakes import InMemoryOutbox, InMemoryReadSide

RETENTION = Retention(100, 100, 10)


@dataclass
class FakeRecord:
    offset: int
    value: bytes | None
    key: bytes | None = b"k"


def a_chunk(*values: bytes, start: int = 0, topic: str = LABELLED.name) -> Chunk:
    records = [FakeRecord(start + n, value) for n, value in enumerate(values)]
    return Chunk(TopicPartition(topic, 0), start, records, None)


def labels(start: int, count: int) -> list[bytes]:
    return [a_label(n).model_dump_json().encode() for n in range(start, start + count)]


@pytest.fixture
def read_side() -> InMemoryReadSide:
    return InMemoryReadSide()


@pytest.fixture
def outbox() -> InMemoryOutbox:
    return InMemoryOutbox()


@pytest.fixture
async def stage(read_side: InMemoryReadSide, outbox: InMemoryOutbox) -> LabelProjection:
    stage = LabelProjection(read_side, outbox, lambda: NOON, QueueDirectory(), RETENTION)
    await stage.starting_point(LABELLED.name, 0)
    return stage


async def run(stage: LabelProjection | CorrectionProjection, chunk: Chunk) -> None:
    await stage.deliver(chunk, await stage.prepare(chunk))  # type: ignore[arg-type]


async def test_effects_and_position_move_together(
    stage: LabelProjection, read_side: InMemoryReadSide
) -> None:
    await run(stage, a_chunk(*labels(0, 3)))
    position = await read_side.position(LABELLED.name, 0)
    assert (position.offset, position.source) == (3, 2)
    assert "ticket:T-2" in read_side.strings


async def test_a_chunk_the_read_side_has_already_is_not_applied_again(
    stage: LabelProjection, read_side: InMemoryReadSide
) -> None:
    await run(stage, a_chunk(*labels(0, 3)))
    before = list(read_side.applied)
    with pytest.raises(Rewind):
        await run(stage, a_chunk(*labels(0, 2)))
    assert read_side.applied == before


async def test_an_emptied_read_side_is_rebuilt_from_the_beginning(
    stage: LabelProjection, read_side: InMemoryReadSide
) -> None:
    await run(stage, a_chunk(*labels(0, 3)))
    read_side.clear()
    with pytest.raises(Rewind):
        await run(stage, a_chunk(*labels(3, 2), start=3))
    assert await stage.starting_point(LABELLED.name, 0) == 0
    await run(stage, a_chunk(*labels(0, 5)))
    assert sorted(read_side.strings) == [f"ticket:T-{n}" for n in range(5)]


async def test_an_unreadable_label_is_parked_and_shows_as_a_gap(
    stage: LabelProjection, outbox: InMemoryOutbox, read_side: InMemoryReadSide
) -> None:
    first, _, third = labels(0, 3)
    await run(stage, a_chunk(first, b"?", third))
    (parked,) = outbox.values(PARKED.name, 0)
    assert (parked["source_topic"], parked["source_offset"]) == (LABELLED.name, 1)
    assert ("HINCRBY", "totals", "gaps", 1) in read_side.applied


async def test_corrections_are_projected_once(
    read_side: InMemoryReadSide, outbox: InMemoryOutbox
) -> None:
    stage = CorrectionProjection(read_side, outbox, lambda: NOON, RETENTION)
    chunk = a_chunk(a_correction().model_dump_json().encode(), topic=CORRECTED.name)
    await run(stage, chunk)
    assert (await read_side.humans(["T-0"]))["T-0"].topic == "printer"
    before = list(read_side.applied)
    # The same chunk again, as after a time-out whose answer was lost: done already, not an error.
    await run(stage, chunk)
    assert read_side.applied == before


async def test_alerts_are_kept_once_per_state_and_a_closed_one_stays_closed(
    read_side: InMemoryReadSide, outbox: InMemoryOutbox
) -> None:
    stage = AlertProjection(read_side, outbox, lambda: NOON)
    said = [an_alert(), an_alert(tickets=99), an_alert(state="closed"), an_alert()]
    values = [each.model_dump_json().encode() for each in said]
    chunk = a_chunk(*values[:2], b"{", topic=ALERTS.name)
    await stage.deliver(chunk, await stage.prepare(chunk))
    assert (await read_side.alerts(["a-1"]))["a-1"] == an_alert()
    chunk = a_chunk(*values[2:], start=3, topic=ALERTS.name)
    await stage.deliver(chunk, await stage.prepare(chunk))
    assert (await read_side.alerts(["a-1"]))["a-1"].state == "closed"
    assert [command[0] for command in read_side.applied].count("ZADD") == 2
    assert await stage.starting_point(ALERTS.name, 0) == 5
    assert len(outbox.values(PARKED.name, 0)) == 1
    stale = a_chunk(*values[:2], topic=ALERTS.name)
    with pytest.raises(Rewind):
        await stage.deliver(stale, await stage.prepare(stale))
