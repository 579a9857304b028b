"""Load of queues, read from the packed windows of whatever the projection counted."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from services.gateway.adapters.views import Windows
from services.gateway.domain.load import Span, period_names, sum_windows
from services.gateway.domain.queues import QueueTree, totals
from shared.clock import Clock, Monotonic
from shared.errors import BadRequest
from shared.queues import QueueDirectory, QueueNode
from shared.windows import Counts, Dimension, Grain

FIRST_YEAR = 1970
ANY = (None, None)
# The first and the last day of all data, and the tree, change seldom; a second is not noticed.
FRESH_SECONDS = 1.0


class LoadReader:
    """Reads series by queue. A queue's load includes everything below it."""

    def __init__(
        self, views: Windows, directory: QueueDirectory, clock: Clock, monotonic: Monotonic
    ) -> None:
        self._views = views
        self._directory = directory
        self._clock = clock
        self._monotonic = monotonic
        self._tree = QueueTree(directory, ())
        self._tree_until = 0.0
        self._extent: Span | None = None
        self._extent_until = 0.0

    async def tree(self) -> QueueTree:
        """Every queue of the directory and every one that tickets were counted for."""
        if self._monotonic() >= self._tree_until:
            seen = await self._views.series(Dimension.QUEUE)
            if seen != self._tree.seen:
                self._tree = QueueTree(self._directory, seen)
            self._tree_until = self._monotonic() + FRESH_SECONDS
        return self._tree

    async def extent(self) -> Span | None:
        """From the first day that any ticket was counted for to the last; None without tickets."""
        if self._monotonic() >= self._extent_until:
            self._extent = await self._find_extent()
            self._extent_until = self._monotonic() + FRESH_SECONDS
        return self._extent

    def forget(self) -> None:
        """Read the tree and the first and last day anew when they are next asked for."""
        self._tree_until = self._extent_until = 0.0

    async def counts(
        self,
        node: QueueNode | None,
        grain: Grain,
        span: Span,
        labels: tuple[str | None, str | None] = ANY,
    ) -> Counts:
        """Tickets per window of the span, shape (span.length(grain),); None is all queues.

        labels: only tickets of a topic and of a priority; None for any. Raises BadRequest where
        such tickets of a queue are not kept at that grain.
        """
        result = np.zeros(span.length(grain), np.int64)
        extent = await self.extent()
        if extent is None or span.first > extent.last or span.last < extent.first:
            return result
        known = Span(max(span.first, extent.first), min(span.last, extent.last))
        raws = await self._raws(node, grain, period_names(grain, known), labels)
        if raws:
            at = (known.first - span.first).days * 86400 // grain.seconds
            counted = sum_windows(raws, grain, known)
            result[at : at + len(counted)] = counted
        return result

    async def _raws(
        self,
        node: QueueNode | None,
        grain: Grain,
        periods: Sequence[str],
        labels: tuple[str | None, str | None],
    ) -> list[bytes | None]:
        topic, priority = labels
        if labels == ANY:
            dimension, names = await self._series_of(node)
            return await self._views.windows(grain, dimension, names, periods)
        if node is None and priority is None:
            return await self._views.windows(grain, Dimension.TOPIC, [topic or ""], periods)
        if node is None and topic is None:
            return await self._views.windows(grain, Dimension.PRIORITY, [priority or ""], periods)
        if grain is not Grain.DAY:
            raise BadRequest(
                "topics and priorities within a queue are kept by day; ask for daily or a coarser "
                "granularity, or for one of them over all queues (0)"
            )
        tree = await self.tree()
        queues = tuple(tree.seen) if node is None else tree.with_windows(node)
        mixes = await self._views.mixes(queues)
        wanted = [(queue, mix) for queue, mix in mixes if mix.matches(topic, priority)]
        return await self._views.mixed(wanted, periods)

    async def by_queue(self, grain: Grain, span: Span) -> Mapping[str, Counts]:
        """Tickets per window counted for exactly each queue, by its path."""
        names = sorted(await self._views.series(Dimension.QUEUE))
        years = period_names(grain, span)
        raws = await self._views.windows(grain, Dimension.QUEUE, names, years)
        return {
            name: sum_windows(raws[at * len(years) : (at + 1) * len(years)], grain, span)
            for at, name in enumerate(names)
        }

    async def totals(self, dimension: Dimension, span: Span | None = None) -> Mapping[str, int]:
        """Tickets counted for exactly each name, over all years that meet the span or the data."""
        span = span or await self.extent()
        if span is None:
            return {}
        names = sorted(await self._views.series(dimension))
        years = period_names(Grain.DAY, span)
        raws = await self._views.windows(Grain.DAY, dimension, names, years)
        return dict(zip(names, totals(raws, len(years)).tolist(), strict=True))

    async def today(self, dimension: Dimension) -> Mapping[str, int]:
        """Tickets created today (UTC) of exactly each name, the busiest first."""
        day = self._clock().date()
        span = Span(day, day)
        names = sorted(await self._views.series(dimension))
        raws = await self._views.windows(Grain.DAY, dimension, names, period_names(Grain.DAY, span))
        counted = {
            name: int(sum_windows([raw], Grain.DAY, span)[0])
            for name, raw in zip(names, raws, strict=True)
        }
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    async def _series_of(self, node: QueueNode | None) -> tuple[Dimension, tuple[str, ...]]:
        tree = await self.tree()
        if node is not None:
            return Dimension.QUEUE, tree.with_windows(node)
        # Each ticket has one queue and one topic: either sums to all, the fewer are read faster.
        topics = await self._views.series(Dimension.TOPIC)
        if 0 < len(topics) < len(tree.seen):
            return Dimension.TOPIC, tuple(topics)
        return Dimension.QUEUE, tuple(tree.seen)

    async def _find_extent(self) -> Span | None:
        dimension, names = await self._series_of(None)
        # Event time may run ahead of this clock over a new year.
        all_years = Span(date(FIRST_YEAR, 1, 1), date(self._clock().year + 1, 12, 31))
        years = period_names(Grain.DAY, all_years)
        raws = await self._views.windows(Grain.DAY, dimension, names, years)
        if not raws:
            return None
        days = np.flatnonzero(sum_windows(raws, Grain.DAY, all_years))
        if not len(days):
            return None
        first, last = (all_years.first + timedelta(days=int(day)) for day in days[[0, -1]])
        return Span(first, last)
