"""Quality as it is lived: what was answered before a human said what it was, per topic and time."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from math import nan
from statistics import mean

from river import drift, metrics, utils

# The last so many judged tickets; about a day of a busy desk.
WINDOW = 2_000
# A point of history every so many judged tickets, and how many points are kept.
POINT_EVERY = 100
POINTS_KEPT = 1_000
MARKS_KEPT = 200


@dataclass(frozen=True, slots=True)
class TopicQuality:
    """One topic within the window. tickets: how many a human said belong to it."""

    precision: float
    recall: float
    f1: float
    tickets: int


@dataclass(frozen=True, slots=True)
class Quality:
    """The window at one moment; majority_accuracy is of always naming the commonest topic."""

    at: datetime
    judged: int
    accuracy: float
    macro_f1: float
    majority_accuracy: float


@dataclass(frozen=True, slots=True)
class Mark:
    """An event, such as a batch of corrections, with the quality just before it."""

    name: str
    before: Quality


class PrequentialQuality:
    """Test-then-train figures over a sliding window (Gama et al. 2013), by river's metrics.

    `record` in the order in which humans judged; memory is bounded by the window and the topics.
    """

    def __init__(self, window: int = WINDOW) -> None:
        """ValueError for a window without a ticket."""
        if window < 1:
            raise ValueError(f"a window holds at least one ticket, not {window}")
        self._confusion = utils.Rolling(metrics.ConfusionMatrix, window_size=window)
        self._drift = drift.ADWIN()
        self._history: deque[Quality] = deque(maxlen=POINTS_KEPT)
        self._marks: deque[Mark] = deque(maxlen=MARKS_KEPT)
        self._judged = 0
        self._drifts = 0

    @property
    def judged(self) -> int:
        """How many tickets were judged in all."""
        return self._judged

    @property
    def drifts(self) -> int:
        """How often the error rate changed for good (ADWIN, Bifet and Gavalda 2007)."""
        return self._drifts

    @property
    def history(self) -> tuple[Quality, ...]:
        """A point for every POINT_EVERY tickets, oldest first."""
        return tuple(self._history)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Events, oldest first."""
        return tuple(self._marks)

    def record(self, answered: str, label: str, at: datetime) -> bool:
        """One judged ticket: what was answered, what a human said. True when drift is detected."""
        self._confusion.update(label, answered)
        self._judged += 1
        self._drift.update(int(answered != label))
        drifted = bool(self._drift.drift_detected)
        self._drifts += drifted
        if self._judged % POINT_EVERY == 0:
            self._history.append(self.now(at))
        return drifted

    def mark(self, name: str, at: datetime) -> None:
        """Remember the quality just before an event, to be compared with what follows."""
        self._marks.append(Mark(name, self.now(at)))

    def now(self, at: datetime) -> Quality:
        """The window as it stands; nan for every figure before the first ticket."""
        topics = self.topics()
        rows = sum(topic.tickets for topic in topics.values())
        if not rows:
            return Quality(at, self._judged, nan, nan, nan)
        hits = sum(self._confusion.true_positives(name) for name in topics)
        return Quality(
            at=at,
            judged=self._judged,
            accuracy=hits / rows,
            macro_f1=mean(topic.f1 for topic in topics.values()),
            majority_accuracy=max(topic.tickets for topic in topics.values()) / rows,
        )

    def topics(self) -> dict[str, TopicQuality]:
        """Every topic that was answered or meant within the window, by name."""
        found = {}
        for name in sorted(self._confusion.classes):
            hits = self._confusion.true_positives(name)
            meant, answered = self._confusion.sum_row[name], self._confusion.sum_col[name]
            if meant or answered:
                found[name] = TopicQuality(
                    precision=hits / answered if answered else 0.0,
                    recall=hits / meant if meant else 0.0,
                    f1=2.0 * hits / (meant + answered),
                    tickets=int(meant),
                )
        return found
