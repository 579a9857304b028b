"""The radar in its worker: told of tickets and of the log from two threads, asked by a third."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.adapters.correction_log import LogSoFar
from services.classifier.adapters.state_snapshots import StateSnapshots
from services.classifier.domain.log_records import LogRecord, Place
from services.classifier.domain.radar.limits import RadarLimits
from services.classifier.domain.radar.radar import DIMENSION, Proposal, Radar
from shared import metrics
from shared.events import TicketLabelled

log = logging.getLogger(__name__)

SNAPSHOT_PREFIX: Final = "radar-"
SNAPSHOT_FORMAT: Final = 2
# Not a model's: another trained model moves the vectors a little, and the clusters stay good.
SNAPSHOT_BASE: Final = "radar"


class EmergingTopics:
    """A VectorObserver that also folds the correction log, and survives a restart.

    A snapshot belongs to the number of tickets observed and to an offset of the log. Tickets that
    come again after a crash are known again; those observed since the last snapshot and committed
    are lost to the radar: a topic that emerges goes on to bring others.
    """

    def __init__(
        self,
        snapshots: StateSnapshots,
        limits: RadarLimits | None = None,
        dimension: int = DIMENSION,
    ) -> None:
        """dimension: of the vectors it will be told of; `snapshots`: of one encoder only."""
        self._snapshots = snapshots
        self._limits = limits or RadarLimits()
        self._lock = threading.Lock()
        self._dimension = dimension
        self._radar = Radar(self._limits, dimension)
        self._place = Place()
        self._saved = (0, 0)
        self._number = 0

    @property
    def offset(self) -> int:
        """Next offset of the correction log."""
        return self._place.offset

    def resume(self, written: LogSoFar) -> Place:
        """Go on from the newest sound snapshot; the place of the log to read on from.

        What was seen of tickets is good whatever the log: where it does not continue what was
        folded, only what that said is forgotten, and it is read whole.
        """
        found = self._snapshots.latest(self._restored)
        if found is not None:
            with self._lock:
                self._radar, self._number = found.radar, found.number
                self._saved = (found.radar.observed, found.place.offset)
                if written.continues(found.place):
                    self._place = found.place
                else:
                    self._radar.forget_log()
        return self._place

    def observe(self, ticket: TicketLabelled, vector: NDArray[np.float32], novelty: float) -> None:
        """Take one ticket, see VectorObserver."""
        kind = "novel" if novelty >= self._limits.novelty else "usual"
        metrics.RADAR_TICKETS.labels(kind).inc()
        with self._lock:
            self._radar.observe(ticket, vector, novelty)

    def apply(self, records: Sequence[LogRecord]) -> None:
        """Fold the next records of the correction log."""
        with self._lock:
            for record in records:
                self._radar.fold(record.event)
                self._place = Place(record.offset + 1, record.event_id)

    def proposals(self) -> list[Proposal]:
        """What emerges now, most tickets first."""
        with self._lock:
            found = self._radar.proposals()
        metrics.EMERGING.set(len(found))
        return found

    def find(self, proposal: str) -> Proposal | None:
        """A proposal by its id; also one that was named or dismissed and is not yet forgotten."""
        with self._lock:
            return self._radar.find(proposal)

    def save(self) -> None:
        """Keep what changed since the last time. A store that is full is logged and counted."""
        with self._lock:
            place = (self._radar.observed, self._place.offset)
            if place == self._saved:
                return
            number = self._number + 1
            state = {
                "number": number,
                **self._place._asdict(),
                "radar": self._radar.state(),
            }
        try:
            self._snapshots.save(number, state)
        except OSError as fault:
            log.warning("the radar could not be saved: %s", fault)
            metrics.SNAPSHOTS.labels("failed").inc()
        else:
            self._saved, self._number = place, number
            metrics.SNAPSHOTS.labels("saved").inc()

    def _restored(self, state: dict[str, Any]) -> "_Saved":
        radar = Radar.from_state(state["radar"], self._limits, self._dimension)
        place = Place(int(state["offset"]), str(state["last"]))
        return _Saved(int(state["number"]), place, radar)


@dataclass(frozen=True, slots=True)
class _Saved:
    """A snapshot: its number, and up to where of the log it reaches."""

    number: int
    place: Place
    radar: Radar
