"""One page of tickets, newest first, by the labels they carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.gateway.domain.paging import Position
from services.gateway.domain.tickets import StoredTicket

# An index is named by its Redis key. A ticket matches a group when any index of it has the ticket.
Group = tuple[str, ...]
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
        """1 to `count` places of the union, newest first, strictly before `before`; [] at the end.

        Neither repeats nor leaves out a place between the first and the last one answered.
        """
        ...

    async def contained(self, ids: Sequence[str], indexes: Sequence[str]) -> list[bool]:
        """For each ticket: is it in any of the indexes?"""
        ...

    async def tickets(self, ids: Sequence[str]) -> list[StoredTicket | None]:
        """The stored tickets, None where one expired or never was."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Tickets, and the place to go on from; `next` is None at the end."""

    tickets: list[StoredTicket]
    next: Position | None


async def read_page(
    index: TicketIndex, groups: Sequence[Group], before: Position | None, limit: int
) -> Page:
    """Tickets that match every group. Walks the smallest, asks the others for membership."""
    base, *others = await _smallest_first(index, groups)
    found: list[tuple[Position, StoredTicket]] = []
    size = limit + 1
    for _ in range(MOST_READS):
        places = await index.newest(base, before, size)
        if not places:
            return Page([ticket for _, ticket in found], None)
        matching = await _matching(index, places, others)
        stored = await index.tickets([place.ticket_id for place in matching])
        found += [(p, t) for p, t in zip(matching, stored, strict=True) if t is not None]
        if len(found) > limit:
            return Page([ticket for _, ticket in found[:limit]], found[limit - 1][0])
        before = places[-1]
        size = min(2 * size, LARGEST_READ)
    return Page([ticket for _, ticket in found], before)


async def _smallest_first(index: TicketIndex, groups: Sequence[Group]) -> list[Group]:
    if len(groups) == 1:
        return list(groups)
    sizes = iter(await index.sizes([name for group in groups for name in group]))
    totals = [sum(next(sizes) for _ in group) for group in groups]
    return [group for _, group in sorted(zip(totals, groups, strict=True))]


async def _matching(
    index: TicketIndex, places: Sequence[Position], others: Sequence[Group]
) -> list[Position]:
    kept = list(places)
    for group in others:
        if kept:
            inside = await index.contained([place.ticket_id for place in kept], group)
            kept = [place for place, yes in zip(kept, inside, strict=True) if yes]
    return kept
