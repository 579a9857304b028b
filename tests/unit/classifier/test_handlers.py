"""The stage: every source record becomes exactly one label or skip, in order."""

from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition

from services.classifier.domain.parking import ParkingLimit, ParkingLimitExceeded
from services.classifier.handlers import LabelStage
from services.classifier.inference import Inference
from shared.streaming import Chunk
from shared.topics import LABELLED, PARKED, RECEIVED
from tests.builders import NOON, a_ticket
from tests.fakes import ConstantLabeller, InMemoryOutbox

PARTITION = 5


@dataclass
class FakeRecord:
    offset: int
    value: bytes | None
    key: bytes | None = b"k"


def a_chunk(*values: bytes | None, start: int = 10) -> Chunk:
    records = [FakeRecord(start + n, value) for n, value in enumerate(values)]
    return Chunk(TopicPartition(RECEIVED.name, PARTITION), start, records, None)


def a_stage(outbox: InMemoryOutbox, poison: str | None = None) -> LabelStage:
    inference = Inference(ConstantLabeller(poison))
    return LabelStage(inference, outbox, ParkingLimit(), lambda: NOON)


def ticket(body: str) -> bytes:
    return a_ticket(body=body).model_dump_json().encode()


async def run(stage: LabelStage, chunk: Chunk) -> None:
    await stage.deliver(chunk, await stage.prepare(chunk))


async def test_labels_and_skips_keep_the_order_of_the_source() -> None:
    outbox = InMemoryOutbox()
    await run(a_stage(outbox), a_chunk(ticket("a"), b"poison", ticket("b"), None))
    written = outbox.values(LABELLED.name, PARTITION)
    assert [w["src_offset"] for w in written] == [10, 11, 12, 13]
    assert [w["kind"] for w in written] == ["labelled", "skipped", "labelled", "skipped"]
    parked = outbox.values(PARKED.name, PARTITION)
    assert [(p["source_offset"], p["reason"]) for p in parked] == [(11, "not-json"), (13, "empty")]
    assert {p["source_topic"] for p in parked} == {RECEIVED.name}


async def test_a_deployment_that_only_watches_says_so_on_every_label() -> None:
    outbox = InMemoryOutbox()
    inference = Inference(ConstantLabeller())
    stage = LabelStage(inference, outbox, ParkingLimit(), lambda: NOON, shadow=True)
    await run(stage, a_chunk(ticket("a")))
    assert [w["decision"] for w in outbox.values(LABELLED.name, PARTITION)] == ["shadow"]


async def test_one_ticket_the_model_cannot_read_does_not_touch_its_neighbours() -> None:
    outbox = InMemoryOutbox()
    chunk = a_chunk(ticket("fine"), ticket("kryptonite"), ticket("fine too"))
    await run(a_stage(outbox, poison="kryptonite"), chunk)
    written = outbox.values(LABELLED.name, PARTITION)
    assert [w["kind"] for w in written] == ["labelled", "skipped", "labelled"]
    (parked,) = outbox.values(PARKED.name, PARTITION)
    assert parked["reason"] == "model-error"
    assert "cannot read that" in str(parked["detail"])


async def test_a_flood_of_poison_stops_the_stage_with_nothing_sent() -> None:
    outbox = InMemoryOutbox()
    stage = a_stage(outbox)
    chunk = a_chunk(*([b"poison"] * 200))
    prepared = await stage.prepare(chunk)
    with pytest.raises(ParkingLimitExceeded):
        await stage.deliver(chunk, prepared)
    assert outbox.sent == {}


async def test_a_label_that_does_not_fit_into_a_record_is_parked() -> None:
    outbox = InMemoryOutbox()
    large = a_ticket(subject="x" * 1_020_000).model_dump_json().encode()
    await run(a_stage(outbox), a_chunk(ticket("a"), large, ticket("b")))
    written = outbox.values(LABELLED.name, PARTITION)
    assert [w["kind"] for w in written] == ["labelled", "skipped", "labelled"]
    (parked,) = outbox.values(PARKED.name, PARTITION)
    assert (parked["reason"], parked["value"], parked["size"]) == ("too-large", None, len(large))


async def test_a_huge_key_is_not_repeated() -> None:
    outbox = InMemoryOutbox()
    key = b"k" * 1_000_000
    records = [FakeRecord(10, b"poison", key), FakeRecord(11, ticket("a"), key)]
    chunk = Chunk(TopicPartition(RECEIVED.name, PARTITION), 10, records, None)
    await run(a_stage(outbox), chunk)
    assert all(key is None for topic in outbox.sent.values() for key, _ in topic)
