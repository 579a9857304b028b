"""Views in memory: the fake that passes the same contract tests as Redis."""

import asyncio
import heapq
from collections.abc import Sequence
from datetime import datetime

from services.gateway.adapters.views import PartitionPosition, QueueMix
from services.gateway.domain.feed import BEGINNING, FeedBounds, FeedId, FeedItem
from services.gateway.domain.paging import Position
from services.gateway.domain.tickets import StoredTicket
from shared import redis_keys
from shared.errors import Unavailable
from shared.events import AlertRaised
from shared.mixes import Mix
from shared.read_model import FeedEntry, HumanValues, TicketRecord, Totals
from shared.windows import CELL_BYTES, Dimension, Grain, cells


class MemoryViews:
    """Holds what a projection would have written. `broken` is the reason it does not answer."""

    def __init__(self) -> None:
        self.broken: str | None = None
        self._records: dict[str, TicketRecord] = {}
        self._humans: dict[str, HumanValues] = {}
        self._indexes: dict[str, dict[str, Position]] = {}
        # By key, as a projection's store has them, so that a test may share them with one.
        self.sets: dict[str, set[str]] = {}
        self.stored: dict[str, bytes] = {}
        self._totals = Totals()
        self._positions: dict[tuple[str, int], PartitionPosition] = {}
        self._feed: list[FeedItem] = []
        self._feed_last = BEGINNING
        self._fed = asyncio.Condition()

    # -- what a projection does ------------------------------------------------------------------

    def put_ticket(self, record: TicketRecord, human: HumanValues | None = None) -> None:
        self._records[record.ticket_id] = record
        if human is not None:
            self._humans[record.ticket_id] = human
        place = Position(int(record.created_at.timestamp() * 1000), record.ticket_id.encode())
        self._list(redis_keys.INDEX_ALL, place)
        if record.decision != "applied":
            self._list(redis_keys.REVIEW, Position(record.doubt, record.ticket_id.encode()))
        for dimension in Dimension:
            for source in (record, human):
                if (value := getattr(source, dimension, None)) is not None:
                    self._list(redis_keys.index(dimension, value), place)

    def put_early_correction(self, human: HumanValues) -> None:
        """A correction that came before the label: listed at its own time."""
        self._humans[human.ticket_id] = human
        place = Position(int(human.corrected_at.timestamp() * 1000), human.ticket_id.encode())
        for dimension in Dimension:
            if (value := getattr(human, dimension)) is not None:
                self._list(redis_keys.index(dimension, value), place)

    def put_alert(self, alert: AlertRaised) -> None:
        self.stored[redis_keys.alert(alert.alert_id)] = alert.model_dump_json().encode()
        started = int(alert.started_at.timestamp() * 1000)
        self._list(redis_keys.ALERTS, Position(started, alert.alert_id.encode()))

    def _list(self, index: str, place: Position) -> None:
        self._indexes.setdefault(index, {})[place.ticket_id] = place

    def expire(self, ticket_id: str) -> None:
        """The record goes, its places in the indexes stay."""
        del self._records[ticket_id]

    def count(self, dimension: Dimension, name: str, moment: datetime, tickets: int = 1) -> None:
        self.sets.setdefault(redis_keys.series(dimension), set()).add(name)
        for grain in Grain:
            period, cell = cells(grain, moment)
            self._add(redis_keys.load(grain, period, dimension, name), cell, tickets)

    def count_mix(self, queue: str, mix: Mix, moment: datetime, tickets: int = 1) -> None:
        self.sets.setdefault(redis_keys.mixes(queue), set()).add(mix.member)
        period, cell = cells(Grain.DAY, moment)
        self._add(redis_keys.mix(period, queue, mix.member), cell, tickets)

    def _add(self, key: str, cell: int, tickets: int) -> None:
        stored = bytearray(self.stored.get(key, b""))
        end = (cell + 1) * CELL_BYTES
        stored.extend(bytes(max(0, end - len(stored))))
        before = int.from_bytes(stored[end - CELL_BYTES : end], "big")
        stored[end - CELL_BYTES : end] = (before + tickets).to_bytes(CELL_BYTES, "big")
        self.stored[key] = bytes(stored)

    def set_totals(self, totals: Totals) -> None:
        self._totals = totals

    def set_position(self, position: PartitionPosition) -> None:
        self._positions[position.topic, position.partition] = position

    async def feed(self, entry: FeedEntry, at: FeedId | None = None) -> FeedId:
        """Append to the feed; answers the entry's id."""
        at = at or FeedId(self._feed_last.ms + 1, 0)
        async with self._fed:
            self._feed.append(FeedItem(at, entry, entry.model_dump_json()))
            self._feed_last = at
            self._fed.notify_all()
        return at

    def trim_feed(self, keep: int) -> None:
        self._feed = self._feed[len(self._feed) - keep :]

    # -- Views ----------------------------------------------------------------------------------

    async def ping(self) -> None:
        if self.broken is not None:
            raise Unavailable(self.broken)

    async def sizes(self, indexes: Sequence[str]) -> list[int]:
        await self.ping()
        return [len(self._indexes.get(name, {})) for name in indexes]

    async def newest(
        self, indexes: Sequence[str], before: Position | None, count: int
    ) -> list[Position]:
        await self.ping()
        places = {
            place
            for name in indexes
            for place in self._indexes.get(name, {}).values()
            if before is None or place < before
        }
        return heapq.nlargest(count, places)

    async def contained(self, ids: Sequence[str], indexes: Sequence[str]) -> list[bool]:
        await self.ping()
        return [any(i in self._indexes.get(name, {}) for name in indexes) for i in ids]

    async def tickets(self, ids: Sequence[str]) -> list[StoredTicket | None]:
        await self.ping()
        return [
            StoredTicket(record, self._humans.get(i)) if (record := self._records.get(i)) else None
            for i in ids
        ]

    async def series(self, dimension: Dimension) -> frozenset[str]:
        await self.ping()
        return frozenset(self.sets.get(redis_keys.series(dimension), ()))

    async def windows(
        self, grain: Grain, dimension: Dimension, names: Sequence[str], periods: Sequence[str]
    ) -> list[bytes | None]:
        return await self.strings(
            [redis_keys.load(grain, p, dimension, name) for name in names for p in periods]
        )

    async def mixes(self, queues: Sequence[str]) -> list[QueueMix]:
        await self.ping()
        return [
            (queue, Mix.of(member))
            for queue in queues
            for member in self.sets.get(redis_keys.mixes(queue), ())
        ]

    async def mixed(self, mixes: Sequence[QueueMix], periods: Sequence[str]) -> list[bytes | None]:
        return await self.strings(
            [
                redis_keys.mix(period, queue, mix.member)
                for queue, mix in mixes
                for period in periods
            ]
        )

    async def strings(self, keys: Sequence[str]) -> list[bytes | None]:
        await self.ping()
        return [self.stored.get(key) for key in keys]

    async def totals(self) -> Totals:
        await self.ping()
        return self._totals

    async def positions(self) -> list[PartitionPosition]:
        await self.ping()
        return [self._positions[key] for key in sorted(self._positions)]

    async def feed_bounds(self) -> FeedBounds:
        await self.ping()
        return FeedBounds(self._feed[0].id if self._feed else None, self._feed_last)

    async def feed_latest(self) -> FeedItem | None:
        await self.ping()
        return self._feed[-1] if self._feed else None

    async def feed_after(self, position: FeedId, count: int) -> list[FeedItem]:
        await self.ping()
        return [item for item in self._feed if item.id > position][:count]

    async def feed_wait(self, position: FeedId, seconds: float) -> list[FeedItem]:
        await self.ping()
        async with self._fed:
            try:
                async with asyncio.timeout(seconds):
                    await self._fed.wait_for(lambda: self._feed_last > position)
            except TimeoutError:
                return []
        return await self.feed_after(position, 1000)
