"""One page of tickets by the labels they carry: newest first, or least sure first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.gateway.domain.paging import Position
from services.gateway.domain.tickets import StoredTicket
from shared import redis_keys
from shared.windows import Dimension

LARGEST_READ = 1000
# A filter that nearly nothing passes answers a short page with `next` rather than scan for long.
MOST_READS = 20


class TicketIndex(Protocol):
    """What a page is read from."""

    async def sizes(self, indexes: Sequence[str]) -> list[int]:
        """Number of tickets of each index."""
        ...

    async def newest(
        self, indexes: Sequence[str], before: Position | None, count: int
    ) -> list[Position]:
        """1 to `count` places of the union, highest first, strictly before `before`; [] at the end.

        Neither repeats nor leaves out a place between the first and the last one answered.
        """
        ...

    async def contained(self, ids: Sequence[str], indexes: Sequence[str]) -> list[bool]:
        """For each ticket: is it in any of the indexes?"""
        ...

    async def tickets(self, ids: Sequence[str]) -> list[StoredTicket | None]:
        """The stored tickets, None where one expired or never was."""
        ...


class Filter(Protocol):
    """Which tickets are wanted, and which indexes name the candidates."""

    @property
    def indexes(self) -> list[str]: ...

    def accepts(self, ticket: StoredTicket) -> bool: ...

    def lists_first_at(self, place: Position, ticket: StoredTicket) -> bool:
        """False at a second place of the ticket in these indexes."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Tickets with any of these values of one dimension in force; no dimension: all tickets."""

    dimension: Dimension | None = None
    values: frozenset[str] = frozenset()

    @property
    def indexes(self) -> list[str]:
        """Where candidates are listed: whoever had such a value once, by model or human."""
        if self.dimension is None:
            return [redis_keys.INDEX_ALL]
        return [redis_keys.index(self.dimension, value) for value in sorted(self.values)]

    def accepts(self, ticket: StoredTicket) -> bool:
        return self.dimension is None or ticket.in_force(self.dimension) in self.values

    def lists_first_at(self, place: Position, ticket: StoredTicket) -> bool:
        """False at a second place of the ticket in these indexes.

        The model's index has a ticket at its creation. A human's has it at the correction where
        that came before the label, and both may be among these.
        """
        if self.dimension is None or ticket.said(self.dimension) not in self.values:
            return True
        return place.score == int(ticket.record.created_at.timestamp() * 1000)


EVERY_TICKET = Wanted()


class UpForReview:
    """Tickets whose topic the model only suggested and nobody has set since, least sure first."""

    indexes: Final = [redis_keys.REVIEW]

    def accepts(self, ticket: StoredTicket) -> bool:
        human = ticket.human
        return ticket.record.decision != "applied" and (human is None or human.topic is None)

    def lists_first_at(self, place: Position, ticket: StoredTicket) -> bool:
        del place, ticket
        return True


@dataclass(frozen=True, slots=True)
class Page:
    """Tickets, and the place to go on from; `next` is None at the end."""

    tickets: list[StoredTicket]
    next: Position | None


async def read_page(
    index: TicketIndex,
    wanted: Iterable[Filter],
    before: Position | None,
    limit: int,
    order: Filter | None = None,
) -> Page:
    """Tickets that are all of `wanted`, and of `order` in the order of its index if that is given.

    Walks that one or else the smallest index and asks the others for membership. Indexes only
    grow, so they name candidates; the values in force decide.
    """
    base, *others = await _walked_first(index, list(wanted), order)
    found: list[tuple[Position, StoredTicket]] = []
    size = min((limit + 1) * 2 ** len(others), LARGEST_READ)
    for _ in range(MOST_READS):
        places = await index.newest(base.indexes, before, size)
        if not places:
            return Page([ticket for _, ticket in found], None)
        candidates = await _in_all(index, places, others)
        stored = await index.tickets([place.ticket_id for place in candidates])
        for place, ticket in zip(candidates, stored, strict=True):
            if (
                ticket is not None
                and all(one.accepts(ticket) for one in (base, *others))
                and base.lists_first_at(place, ticket)
            ):
                found.append((place, ticket))
        if len(found) > limit:
            return Page([ticket for _, ticket in found[:limit]], found[limit - 1][0])
        before = places[-1]
        size = min(2 * size, LARGEST_READ)
    return Page([ticket for _, ticket in found], before)


async def _walked_first(
    index: TicketIndex, wanted: list[Filter], order: Filter | None
) -> list[Filter]:
    if order is not None:
        return [order, *wanted]
    if len(wanted) < 2:
        return wanted or [EVERY_TICKET]
    sizes = iter(await index.sizes([name for one in wanted for name in one.indexes]))
    totals = [(sum(next(sizes) for _ in one.indexes), i) for i, one in enumerate(wanted)]
    return [wanted[i] for _, i in sorted(totals)]


async def _in_all(
    index: TicketIndex, places: Sequence[Position], others: Sequence[Filter]
) -> list[Position]:
    kept = list(places)
    for one in others:
        if kept:
            inside = await index.contained([place.ticket_id for place in kept], one.indexes)
            kept = [place for place, yes in zip(kept, inside, strict=True) if yes]
    return kept
