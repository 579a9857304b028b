"""One owned partition: the chunks under way and how far the unbroken run of finished ones goes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.streaming.chunk import Chunk, Record


@dataclass(slots=True, eq=False)
class Lane:
    """State of one partition between its assignment and its revocation.

    next: where the next chunk starts, None before the first record of a lane that starts at
    Kafka's own commit. applied: end of the unbroken run of finished chunks. committed: what Kafka
    was told. reached: the furthest that was ever applied. open: False while a seek is under way.
    """

    next: int | None = None
    applied: int | None = None
    committed: int | None = None
    reached: int = 0
    open: bool = True
    pending: deque[Chunk] = field(default_factory=deque)

    def append(self, chunk: Chunk) -> None:
        self.pending.append(chunk)
        self.next = chunk.end

    def settle(self) -> None:
        """Take finished chunks off the head; one that is unfinished blocks those behind it."""
        while self.pending and self.pending[0].done.done():
            self.applied = self.pending.popleft().end
            self.reached = max(self.reached, self.applied)

    def close(self) -> None:
        """Void everything under way: a seek follows, and what was read before must not count."""
        self.open = False
        for chunk in self.pending:
            chunk.void = True
            chunk.finish()
        self.pending.clear()

    def reopen(self, position: int) -> None:
        """Continue at `position` after a seek."""
        self.next = self.applied = position
        self.open = True

    @property
    def idle(self) -> bool:
        """Open with nothing under way, so that `applied` is all there is to compare."""
        return self.open and not self.pending


def cut(records: Sequence[Record], size: int) -> list[Sequence[Record]]:
    """`records` in runs of at most `size`."""
    return [records[at : at + size] for at in range(0, len(records), size)]
