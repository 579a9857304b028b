"""Lanes: shared batches, order, what is given up, and what is fatal."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from services.ingest.adapters.lanes import Delivery, Lane
from services.ingest.adapters.publisher import InFlight
from services.ingest.domain.admission import Message
from shared.errors import Unavailable
from tests.deadlines import eventually


@dataclass
class FakeBatch:
    """Takes `room` records."""

    room: int
    values: list[bytes] = field(default_factory=list)

    def append(self, *, timestamp: int | None, key: bytes, value: bytes) -> object | None:
        assert timestamp is None
        assert key
        if len(self.values) == self.room:
            return None
        self.values.append(value)
        return object()

    def close(self) -> None:
        return None


class FakeProducer:
    """Keeps the batches handed to it; the test acknowledges or refuses them."""

    def __init__(self, room: int = 100) -> None:
        self.room = room
        self.sent: list[tuple[list[bytes], asyncio.Future[object]]] = []

    def create_batch(self) -> FakeBatch:
        return FakeBatch(self.room)

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[object]:
        assert (topic, partition) == ("t", 3)
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.sent.append((batch.values, future))
        return future


class Bench:
    """A lane on a fake producer, with what it counts and whom it would kill."""

    def __init__(self, room: int = 100) -> None:
        self.producer = FakeProducer(room)
        self.in_flight = InFlight(max_events=1_000, max_bytes=10**9)
        self.deaths: list[str] = []
        self.lane = Lane(self.producer, "t", 3, self.in_flight, self.deaths.append)

    def put(self, *values: bytes) -> Delivery:
        messages = [Message("k", value) for value in values]
        self.in_flight.admit(messages)
        delivery = Delivery(len(messages))
        for message in messages:
            self.lane.put(delivery, message)
        self.lane.flush()
        return delivery

    async def batch(self, number: int) -> tuple[list[bytes], asyncio.Future[object]]:
        await eventually(lambda: len(self.producer.sent) > number)
        return self.producer.sent[number]


async def test_requests_share_a_batch_and_end_together() -> None:
    bench = Bench()
    first, second = bench.put(b"1", b"2"), bench.put(b"3")
    values, delivered = await bench.batch(0)
    assert values == [b"1", b"2", b"3"]
    assert not first.over
    delivered.set_result(None)
    await asyncio.gather(first.acknowledged, second.acknowledged)
    await eventually(lambda: bench.in_flight.events == 0)
    assert bench.in_flight.size == 0


async def test_records_wait_for_a_flush() -> None:
    bench = Bench()
    delivery = Delivery(1)
    bench.lane.put(delivery, Message("k", b"1"))
    await asyncio.sleep(0)
    assert not bench.producer.sent
    bench.lane.flush()
    values, _ = await bench.batch(0)
    assert values == [b"1"]


async def test_a_full_batch_leaves_the_rest_for_the_next_in_order() -> None:
    bench = Bench(room=2)
    delivery = bench.put(b"1", b"2", b"3")
    values, delivered = await bench.batch(0)
    assert values == [b"1", b"2"]
    delivered.set_result(None)
    rest, last = await bench.batch(1)
    assert rest == [b"3"]
    assert not delivery.over
    last.set_result(None)
    await delivery.acknowledged


async def test_one_batch_at_a_time() -> None:
    bench = Bench()
    bench.put(b"1")
    _, delivered = await bench.batch(0)
    later = bench.put(b"2")
    bench.put(b"3")
    assert len(bench.producer.sent) == 1
    delivered.set_result(None)
    values, last = await bench.batch(1)
    assert values == [b"2", b"3"]
    last.set_result(None)
    await later.acknowledged


async def test_what_nobody_waits_for_is_not_sent() -> None:
    bench = Bench()
    stuck = bench.put(b"1")
    _, delivered = await bench.batch(0)
    given_up, kept = bench.put(b"2"), bench.put(b"3")
    given_up.acknowledged.cancel()
    bench.lane.forget_abandoned()
    assert bench.in_flight.events == 2
    kept.acknowledged.cancel()
    last = bench.put(b"4")
    delivered.set_result(None)
    await stuck.acknowledged
    values, delivered = await bench.batch(1)
    assert values == [b"4"]
    delivered.set_result(None)
    await last.acknowledged
    await eventually(lambda: bench.in_flight.events == 0)


async def test_a_record_under_way_counts_until_kafka_answers() -> None:
    bench = Bench()
    given_up = bench.put(b"1")
    _, delivered = await bench.batch(0)
    given_up.acknowledged.cancel()
    bench.lane.forget_abandoned()
    assert bench.in_flight.events == 1
    delivered.set_result(None)
    await eventually(lambda: bench.in_flight.events == 0)


async def test_a_refused_batch_fails_its_requests_and_is_fatal() -> None:
    bench = Bench()
    delivery = bench.put(b"1")
    _, delivered = await bench.batch(0)
    delivered.set_exception(OutOfOrderSequenceNumber())
    with pytest.raises(Unavailable):
        await delivery.acknowledged
    [reason] = bench.deaths
    assert "OutOfOrderSequenceNumber" in reason


def test_in_flight_refuses_beyond_either_limit() -> None:
    limit = InFlight(max_events=2, max_bytes=2_000)
    small, large = Message("k", b"x"), Message("k", b"x" * 1_500)
    limit.admit([small])
    for messages in ([small, small], [large]):
        with pytest.raises(Unavailable):
            limit.admit(messages)
    limit.admit([small])
    limit.release(small)
    limit.release(small)
    assert (limit.events, limit.size) == (0, 0)
