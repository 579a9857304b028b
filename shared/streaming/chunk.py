"""A chunk of one partition, and the port that works on it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from aiokafka import TopicPartition

Prepared = TypeVar("Prepared")


class Record(Protocol):
    """The part of aiokafka's ConsumerRecord that a stage reads."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Rewind(Exception):
    """The sink stands elsewhere than this chunk expects: read again from the sink's position."""


@dataclass(slots=True, eq=False)
class Chunk:
    """Up to `max_records` consecutive records of one partition.

    start: the position before the chunk, where its predecessor ended (not the first record's
    offset: a topic may begin above 0 or have holes). A void chunk was overtaken by a rewind and
    must have no effect.
    """

    partition: TopicPartition
    start: int
    records: Sequence[Record]
    previous: asyncio.Future[None] | None
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    void: bool = False

    @property
    def end(self) -> int:
        """The position after the chunk."""
        return self.records[-1].offset + 1

    async def turn(self) -> bool:
        """Wait until the predecessor is done; False if this chunk has become void meanwhile."""
        if self.previous is not None:
            # Waiting must not cancel the predecessor when this waiter is cancelled.
            await asyncio.shield(self.previous)
            self.previous = None  # else each chunk would keep its whole ancestry alive
        return not self.void

    def finish(self) -> None:
        """Its effects are durable."""
        if not self.done.done():
            self.done.set_result(None)


class Stage(Protocol[Prepared]):
    """What a service does with a chunk. Any exception but Rewind ends the process."""

    async def prepare(self, chunk: Chunk) -> Prepared:
        """Decode and compute. Chunks of one partition may be prepared at the same time."""
        ...

    async def deliver(self, chunk: Chunk, prepared: Prepared) -> None:
        """Make the effects durable; called in order per partition. May raise Rewind."""
        ...
