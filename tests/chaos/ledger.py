"""What was posted and how it was answered: every 202 is a promise to be looked for."""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Filled by feeder threads, read by the checker.

    accepted: event ids answered with 202, by ticket id. slowest_refusal: seconds until
    the slowest 503. unanswered: connections refused, cut or timed out; timed_out: those of them
    that ingest took and never answered.
    """

    accepted: dict[str, list[str]] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    timed_out: int = 0
    without_retry_after: int = 0
    slowest_refusal: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def events(self) -> int:
        """How many events were answered with 202."""
        with self._lock:
            return sum(map(len, self.accepted.values()))

    def note(self, status: int, seconds: float, retry_after: str | None) -> None:
        """An answer, whatever it says."""
        with self._lock:
            self.answers[status] += 1
            if status == 503:
                self.slowest_refusal = max(self.slowest_refusal, seconds)
                self.without_retry_after += retry_after is None

    def note_silence(self, *, timed_out: bool) -> None:
        """No answer: refused and cut connections, or one that was kept waiting."""
        with self._lock:
            self.unanswered += 1
            self.timed_out += timed_out

    def forget_times(self) -> None:
        """Another row begins: what was slow before is not its fault."""
        with self._lock:
            self.timed_out = self.without_retry_after = 0
            self.slowest_refusal = 0.0

    def accept(self, tickets: list[dict[str, str]]) -> None:
        """All of `tickets` were answered with 202."""
        with self._lock:
            for ticket in tickets:
                self.accepted.setdefault(ticket["ticket_id"], []).append(ticket["event_id"])

    def tickets(self) -> set[str]:
        """Ticket ids with at least one accepted event."""
        with self._lock:
            return set(self.accepted)

    def accepted_events(self) -> set[tuple[str, str]]:
        """Ticket and event id of every accepted event."""
        with self._lock:
            return {(ticket, event) for ticket, all_ in self.accepted.items() for event in all_}
