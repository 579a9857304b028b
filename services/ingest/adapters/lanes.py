"""One lane per partition: records of all requests share batches, one batch is under way at a time.

`AIOKafkaProducer.send` costs a coroutine, a future and a metadata look-up per record; a lane pays
them per batch, and a record whose request gave up before it was handed over is never sent.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from services.ingest.adapters.publisher import RETRY_AFTER_SECONDS, InFlight
from services.ingest.domain.admission import Message
from shared.errors import Unavailable


class Batch(Protocol):
    """The part of aiokafka's BatchBuilder used here."""

    def append(self, *, timestamp: int | None, key: bytes, value: bytes) -> object | None: ...
    def close(self) -> None: ...


class BatchProducer(Protocol):
    """The part of AIOKafkaProducer used here."""

    def create_batch(self) -> Any: ...
    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]: ...


class Delivery:
    """One request's records: `acknowledged` is done when the last of them is."""

    __slots__ = ("_remaining", "acknowledged")

    def __init__(self, records: int) -> None:
        self._remaining = records
        self.acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def over(self) -> bool:
        """Nobody waits any more: acknowledged, failed or given up."""
        return self.acknowledged.done()

    def settle(self) -> None:
        """One record was acknowledged."""
        self._remaining -= 1
        if not self._remaining and not self.acknowledged.done():
            self.acknowledged.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.acknowledged.done():
            self.acknowledged.set_exception(error)


class Lane:
    """Sends one partition's records in order. A refused batch is fatal: `die` gets the reason."""

    def __init__(
        self,
        producer: BatchProducer,
        topic: str,
        partition: int,
        in_flight: InFlight,
        die: Callable[[str], None],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._partition = partition
        self._in_flight = in_flight
        self._die = die
        self._waiting: deque[tuple[Delivery, Message]] = deque()
        self._sending: asyncio.Task[None] | None = None

    def put(self, delivery: Delivery, message: Message) -> None:
        """Queue one record; it leaves with the next batch after a flush."""
        self._waiting.append((delivery, message))

    def flush(self) -> None:
        """Start to send what waits, unless a batch is under way: then it follows that one."""
        if self._sending is None and self._waiting:
            self._sending = asyncio.create_task(self._drain())

    def forget_abandoned(self) -> None:
        """Drop what nobody waits for. Requests give up in the order they came: heads suffice."""
        while self._waiting and self._waiting[0][0].over:
            self._in_flight.release(self._waiting.popleft()[1])

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, carried = self._next_batch()
                if carried:
                    await self._deliver(batch, carried)
        finally:
            self._sending = None

    def _next_batch(self) -> tuple[Batch, list[tuple[Delivery, Message]]]:
        batch: Batch = self._producer.create_batch()
        carried: list[tuple[Delivery, Message]] = []
        waiting = self._waiting
        while waiting:
            delivery, message = entry = waiting[0]
            if delivery.over:
                self._in_flight.release(message)
            elif batch.append(timestamp=None, key=message[0].encode(), value=message[1]) is None:
                break
            else:
                carried.append(entry)
            waiting.popleft()
        batch.close()
        return batch, carried

    async def _deliver(self, batch: Batch, carried: list[tuple[Delivery, Message]]) -> None:
        try:
            await (await self._producer.send_batch(batch, self._topic, partition=self._partition))
        except KafkaError as error:
            # An idempotent producer has numbered the batch: with it missing, every later one of
            # this partition is out of order. Only a new process (a new producer id) is safe.
            refusal = Unavailable(f"Kafka refused the events: {error!r}", RETRY_AFTER_SECONDS)
            for delivery, _ in carried:
                delivery.fail(refusal)
            self._die(f"{self._topic}/{self._partition}: {error!r}")
        else:
            for delivery, _ in carried:
                delivery.settle()
        finally:
            for _, message in carried:
                self._in_flight.release(message)
