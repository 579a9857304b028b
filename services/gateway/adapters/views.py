"""The port to what the projection keeps, and the errors of reading it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.gateway.domain.feed import FeedBounds, FeedId, FeedItem
from services.gateway.domain.listing import TicketIndex
from shared.mixes import Mix
from shared.read_model import Totals
from shared.windows import Dimension, Grain


@dataclass(frozen=True, slots=True)
class PartitionPosition:
    """How far the projection has read one partition.

    offset: the next to read. source: the highest offset of the source topic seen in it.
    """

    topic: str
    partition: int
    offset: int
    source: int | None


QueueMix = tuple[str, Mix]


class Windows(Protocol):
    """Load windows: those that the projection counted, or those of an uploaded dataset."""

    async def series(self, dimension: Dimension) -> frozenset[str]:
        """The queues, topics or priorities that have windows."""
        ...

    async def windows(
        self, grain: Grain, dimension: Dimension, names: Sequence[str], periods: Sequence[str]
    ) -> list[bytes | None]:
        """Packed windows: all periods of the first name, then of the second, and so on."""
        ...

    async def mixes(self, queues: Sequence[str]) -> list[QueueMix]:
        """The topics and priorities that tickets of exactly these queues had together."""
        ...

    async def mixed(self, mixes: Sequence[QueueMix], periods: Sequence[str]) -> list[bytes | None]:
        """Packed days: all years of the first mix, then of the second, and so on."""
        ...


class Views(TicketIndex, Windows, Protocol):
    """Everything the gateway reads. Every method raises Unavailable when Redis does not answer."""

    async def ping(self) -> None:
        """Answers, or raises Unavailable with the reason."""
        ...

    async def strings(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of several keys, in their order."""
        ...

    async def totals(self) -> Totals:
        """The projection's own counts."""
        ...

    async def positions(self) -> list[PartitionPosition]:
        """One per partition that anything was read of."""
        ...

    async def feed_bounds(self) -> FeedBounds:
        """The ends of the live feed; of a feed that does not exist (None, 0-0)."""
        ...

    async def feed_latest(self) -> FeedItem | None:
        """The newest entry; None where none is kept."""
        ...

    async def feed_after(self, position: FeedId, count: int) -> list[FeedItem]:
        """At most `count` entries after `position`, oldest first."""
        ...

    async def feed_wait(self, position: FeedId, seconds: float) -> list[FeedItem]:
        """Entries after `position`; waits for the first one, [] when none came in time."""
        ...
