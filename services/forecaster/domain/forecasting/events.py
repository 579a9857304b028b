"""Planned events (a release, a campaign): spans of days known beforehand to change the load."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.forecaster.domain.forecasting.series import FloatArray, IntArray, day_number


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """A span of days, both ends included.

    kind: events of one kind share one learned effect, so a release teaches the next release.
    expected_change: planner's guess of the relative change (+0.5 = half as much again), the
    prior until an event of this kind has been seen; None means nothing is assumed.
    queue: the queue it belongs to, None for all.
    """

    identifier: str
    kind: str
    first_day: date
    last_day: date
    expected_change: float | None = None
    queue: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a span that ends before it begins or a change below -100 %."""
        if self.last_day < self.first_day:
            raise ValueError("a planned event must not end before it begins")
        if self.expected_change is not None and self.expected_change <= -1.0:
            raise ValueError("expected_change must be greater than -1 (-100 %)")


def event_kinds(events: Iterable[PlannedEvent]) -> tuple[str, ...]:
    """The kinds in a stable order: one column of the calendar design each."""
    return tuple(sorted({event.kind for event in events}))


def event_columns(days: IntArray, events: tuple[PlannedEvent, ...]) -> FloatArray:
    """Indicator per kind. days: shape (n,), day numbers. Returns shape (n, kinds)."""
    kinds = event_kinds(events)
    columns = np.zeros((len(days), len(kinds)))
    for event in events:
        span = (days >= day_number(event.first_day)) & (days <= day_number(event.last_day))
        columns[span, kinds.index(event.kind)] = 1.0
    return columns


def prior_effects(events: tuple[PlannedEvent, ...]) -> FloatArray:
    """Prior mean of each kind's effect on log counts, shape (kinds,): the planners' mean guess."""
    return np.array(
        [
            float(
                np.mean(
                    [
                        np.log1p(event.expected_change or 0.0)
                        for event in events
                        if event.kind == kind
                    ]
                )
            )
            for kind in event_kinds(events)
        ]
    )
