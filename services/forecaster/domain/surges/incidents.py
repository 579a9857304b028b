"""From surge scores to incidents: guarded by distinct requesters, each told once and ended once."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.forecaster.domain.forecasting.series import hour_of
from services.forecaster.domain.surges.detection import THRESHOLD
from shared.windows import Dimension

MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class SurgeRule:
    """When a score is a surge. min_tickets and min_requesters: in one window.

    release: score under which a window counts as quiet; quiet_windows: how many of them end an
    incident. Both keep one incident from being told as many.
    """

    threshold: float = THRESHOLD
    min_tickets: int = 5
    min_requesters: int = 5
    release: float = 1.0
    quiet_windows: int = 2


class Series(NamedTuple):
    """What may surge: one queue's own tickets, or one topic's."""

    dimension: Dimension
    name: str


@dataclass(frozen=True, slots=True)
class Window:
    """One hour of one series: closed, or the one under way with what it has so far.

    step: its number (hours since the epoch). requesters: distinct people who wrote; they, not
    tickets, make a surge: one loud requester or a mail loop is none. examples: ticket ids.
    queue, topic: what most of its tickets share, None where no half of them does.
    """

    series: Series
    step: int
    tickets: int
    expected: float
    score: float
    requesters: int = 0
    examples: tuple[str, ...] = ()
    queue: str | None = None
    topic: str | None = None


class Phase(StrEnum):
    """What there is to tell of an incident."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Incident:
    """One surge. first_step, last_step: first and last window of it.

    tickets and expected are sums over the incident so far, peak the highest score, requesters
    the most seen in one window. queue, topic: as when it began.
    """

    series: Series
    first_step: int
    last_step: int
    tickets: int
    expected: float
    requesters: int
    peak: float
    examples: tuple[str, ...]
    queue: str | None
    topic: str | None
    raised_at: datetime

    @property
    def key(self) -> str:
        """The same for whoever finds this surge again: after a restart, or from a replayed log."""
        name = hashlib.blake2b(self.series.name.encode(), digest_size=6).hexdigest()
        return f"{hour_of(self.first_step):%Y%m%dT%H}-{self.series.dimension}-{name}"

    @property
    def windows(self) -> int:
        """Duration in windows."""
        return self.last_step - self.first_step + 1


Told = tuple[Phase, Incident]


@dataclass(slots=True)
class SurgeWatch:
    """Open incidents by series; memory is bounded by what surged lately."""

    rule: SurgeRule = field(default_factory=SurgeRule)
    _open: dict[Series, Incident] = field(default_factory=dict)
    _over: dict[Series, int] = field(default_factory=dict)

    def observe(self, window: Window, now: datetime, *, may_begin: bool = True) -> tuple[Told, ...]:
        """Take the next window of a series; an incident that ended and one that began.

        Windows of a series come in order; one told twice changes nothing, except that the first
        of an incident, which may have raised it before its hour was over, is restated. Windows
        left out count as quiet. may_begin: False for the past, of which nobody wants to be
        alarmed any more.
        """
        incident = self._open.get(window.series)
        if incident is None:
            return self._begin(window, now) if may_begin else ()
        if window.step == incident.first_step:
            self._open[window.series] = _restated(incident, window)
            return ()
        if window.step <= incident.last_step:
            return ()
        missed = window.step - incident.last_step > self.rule.quiet_windows
        if missed or not self._goes_on(window):
            if window.step - incident.last_step < self.rule.quiet_windows:
                return ()
            del self._open[window.series]
            self._over[window.series] = incident.last_step
            begun = self._begin(window, now) if may_begin else ()
            return ((Phase.CLOSED, incident), *begun)
        self._open[window.series] = _continued(incident, window)
        return ()

    def suspicious(self, score: float, tickets: int) -> bool:
        """Whether a window may be a surge, if enough people wrote in it."""
        return score >= self.rule.threshold and tickets >= self.rule.min_tickets

    def follows(self, series: Series) -> bool:
        """Whether the series has an open incident."""
        return series in self._open

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """Incidents that have not ended, in the order they began."""
        return tuple(self._open.values())

    def restore(self, still_open: Iterable[Incident], over: Iterable[Incident]) -> None:
        """Take over what another process told: nothing of it is told again."""
        self._open = {incident.series: incident for incident in still_open}
        self._over = {incident.series: incident.last_step for incident in over}

    def _begin(self, window: Window, now: datetime) -> tuple[Told, ...]:
        told = window.step <= self._over.get(window.series, window.step - 1)
        enough = window.requesters >= self.rule.min_requesters
        if told or not enough or not self.suspicious(window.score, window.tickets):
            return ()
        begun = _begun(window, now)
        self._open[window.series] = begun
        return ((Phase.OPEN, begun),)

    def _goes_on(self, window: Window) -> bool:
        return window.score >= self.rule.release and window.tickets > window.expected


def _begun(window: Window, now: datetime) -> Incident:
    return Incident(
        series=window.series,
        first_step=window.step,
        last_step=window.step,
        tickets=window.tickets,
        expected=window.expected,
        requesters=window.requesters,
        peak=window.score,
        examples=window.examples[:MAX_EXAMPLES],
        queue=window.queue,
        topic=window.topic,
        raised_at=now,
    )


def _restated(incident: Incident, window: Window) -> Incident:
    if incident.last_step > incident.first_step:
        return incident
    return replace(
        incident,
        tickets=max(incident.tickets, window.tickets),
        expected=window.expected,
        requesters=max(incident.requesters, window.requesters),
        peak=max(incident.peak, window.score),
    )


def _continued(incident: Incident, window: Window) -> Incident:
    return replace(
        incident,
        last_step=window.step,
        tickets=incident.tickets + window.tickets,
        expected=incident.expected + window.expected,
        requesters=max(incident.requesters, window.requesters),
        peak=max(incident.peak, window.score),
        examples=(incident.examples + window.examples)[:MAX_EXAMPLES],
    )
