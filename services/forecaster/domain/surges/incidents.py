"""From surge scores to alerts: guarded by distinct requesters, one alert per incident."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from services.forecaster.domain.surges.detection import THRESHOLD

MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class SurgeRule:
    """When a score is a surge. min_tickets and min_requesters: in one closed window.

    release: score under which a window counts as quiet; quiet_windows: how many of them end an
    incident. Both keep one incident from being told as many.
    """

    threshold: float = THRESHOLD
    min_tickets: int = 5
    min_requesters: int = 5
    release: float = 1.0
    quiet_windows: int = 2


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """One closed window of one queue and topic.

    step: its number (hours since the epoch). requesters: distinct people who wrote; they, not
    tickets, make a surge: one loud requester or a mail loop is none. examples: ticket ids.
    """

    queue: str
    topic: str
    step: int
    tickets: int
    requesters: int
    expected: float
    score: float
    examples: tuple[str, ...] = ()


class Phase(StrEnum):
    """What an alert says."""

    RAISED = "raised"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SurgeAlert:
    """One incident. key is the same for its beginning and its end.

    first_step, last_step: first and last window above the threshold; windows: duration between
    them, both included. tickets and expected are sums over the incident so far, peak the
    highest score, requesters the most seen in one window.
    """

    key: str
    phase: Phase
    queue: str
    topic: str
    first_step: int
    last_step: int
    tickets: int
    expected: float
    requesters: int
    peak: float
    examples: tuple[str, ...]

    @property
    def windows(self) -> int:
        """Duration in windows."""
        return self.last_step - self.first_step + 1


@dataclass(slots=True)
class SurgeWatch:
    """Open incidents by queue and topic; memory is bounded by what surges at this moment."""

    rule: SurgeRule = field(default_factory=SurgeRule)
    _open: dict[tuple[str, str], SurgeAlert] = field(default_factory=dict)

    def observe(self, window: ClosedWindow) -> tuple[SurgeAlert, ...]:
        """Take the next closed window; alerts of an incident that ended and of one that began.

        Windows of a queue and topic come in order; one told twice changes nothing. Windows left
        out count as quiet.
        """
        key = (window.queue, window.topic)
        incident = self._open.get(key)
        if incident is None:
            return self._begin(window)
        if window.step <= incident.last_step:
            return ()
        missed = window.step - incident.last_step > self.rule.quiet_windows
        if missed or not self._goes_on(window):
            if window.step - incident.last_step < self.rule.quiet_windows:
                return ()
            del self._open[key]
            return (replace(incident, phase=Phase.ENDED), *self._begin(window))
        self._open[key] = _continued(incident, window)
        return ()

    @property
    def open_incidents(self) -> tuple[SurgeAlert, ...]:
        """Incidents that have not ended, in the order they began."""
        return tuple(self._open.values())

    def restore(self, incidents: tuple[SurgeAlert, ...]) -> None:
        """Take over incidents that were open when another process stopped."""
        self._open = {(alert.queue, alert.topic): alert for alert in incidents}

    def _begin(self, window: ClosedWindow) -> tuple[SurgeAlert, ...]:
        if not self._is_surge(window):
            return ()
        begun = _begun(window)
        self._open[window.queue, window.topic] = begun
        return (begun,)

    def _goes_on(self, window: ClosedWindow) -> bool:
        return window.score >= self.rule.release and window.tickets > window.expected

    def _is_surge(self, window: ClosedWindow) -> bool:
        return (
            window.score >= self.rule.threshold
            and window.tickets >= self.rule.min_tickets
            and window.requesters >= self.rule.min_requesters
        )


def _begun(window: ClosedWindow) -> SurgeAlert:
    return SurgeAlert(
        key=f"surge:{window.queue}:{window.topic}:{window.step}",
        phase=Phase.RAISED,
        queue=window.queue,
        topic=window.topic,
        first_step=window.step,
        last_step=window.step,
        tickets=window.tickets,
        expected=window.expected,
        requesters=window.requesters,
        peak=window.score,
        examples=window.examples[:MAX_EXAMPLES],
    )


def _continued(incident: SurgeAlert, window: ClosedWindow) -> SurgeAlert:
    return replace(
        incident,
        last_step=window.step,
        tickets=incident.tickets + window.tickets,
        expected=incident.expected + window.expected,
        requesters=max(incident.requesters, window.requesters),
        peak=max(incident.peak, window.score),
        examples=(incident.examples + window.examples)[:MAX_EXAMPLES],
    )
