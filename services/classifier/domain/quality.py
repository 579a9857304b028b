"""Quality as it is lived: what was answered before a human said what it was, per topic and time."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from math import nan
from statistics import mean
from typing import Any

from services.classifier.domain.drift import ErrorDrift

# The last so many judged tickets; about a day of a busy desk.
WINDOW = 2_000
# A point of history every so many judged tickets, and how many points are kept.
POINT_EVERY = 100
POINTS_KEPT = 500
# Topics with a curve of their own at each point: the commonest of the window.
TOPICS_CHARTED = 50
BATCHES_KEPT = 200
DRIFTS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the model answered to a ticket, and then a human said. `at`: Unix seconds, the log's."""

    event_id: str
    answered: str
    confidence: float
    label: str
    at: float

    @property
    def right(self) -> bool:
        return self.answered == self.label

    def values(self) -> list[str | float]:
        """What the constructor takes."""
        return [self.event_id, self.answered, self.confidence, self.label, self.at]


@dataclass(frozen=True, slots=True)
class TopicQuality:
    """One topic within the window. tickets: how many a human said belong to it."""

    precision: float
    recall: float
    f1: float
    tickets: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Some judged tickets; nan without any. majority_accuracy: of always naming the commonest."""

    tickets: int = 0
    accuracy: float = nan
    macro_f1: float = nan
    majority_accuracy: float = nan


@dataclass(frozen=True, slots=True)
class Point:
    """The window after `judged` tickets in all. topics: F1 of the commonest, by name."""

    at: float
    judged: int
    quality: Quality
    topics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Batch:
    """Corrections that were learned together, at a refit of this log offset.

    own: on their own tickets, answered before any of them was learned. window: on the window that
    ends with them. What they brought shows in `own` of the batch that follows.
    """

    at: float
    offset: int
    own: Quality
    window: Quality


@dataclass(frozen=True, slots=True)
class Drift:
    """A lasting change of the error rate, noticed after `judged` tickets in all."""

    at: float
    judged: int
    before: float
    after: float

    @property
    def worse(self) -> bool:
        return self.after > self.before


class Confusion:
    """Answers against labels, counted; figures as river.metrics defines them."""

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self._hits: Counter[str] = Counter()
        self._meant: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        for outcome in outcomes:
            self.count(outcome)

    def count(self, outcome: Outcome, times: int = 1) -> None:
        """Enter one outcome; take it out again with -1."""
        _add(self._meant, outcome.label, times)
        _add(self._answered, outcome.answered, times)
        if outcome.right:
            _add(self._hits, outcome.label, times)

    def topics(self) -> dict[str, TopicQuality]:
        """Every topic that was answered or meant, by name."""
        found = {}
        for name in sorted({*self._meant, *self._answered}):
            hits, meant, answered = self._hits[name], self._meant[name], self._answered[name]
            found[name] = TopicQuality(
                precision=hits / answered if answered else 0.0,
                recall=hits / meant if meant else 0.0,
                f1=2.0 * hits / (meant + answered),
                tickets=meant,
            )
        return found

    def quality(self) -> Quality:
        """The figures of all topics together."""
        topics = self.topics().values()
        tickets = self._meant.total()
        if not tickets:
            return Quality()
        return Quality(
            tickets=tickets,
            accuracy=self._hits.total() / tickets,
            macro_f1=mean(topic.f1 for topic in topics),
            majority_accuracy=max(self._meant.values()) / tickets,
        )


class PrequentialQuality:
    """Test-then-train figures over a sliding window (Gama et al. 2013).

    `record` in the order in which humans judged; memory is bounded by the window. The same outcomes
    give the same figures, drifts and history, whatever was saved and loaded in between.
    """

    def __init__(self, window: int = WINDOW) -> None:
        """ValueError for a window without a ticket."""
        if window < 1:
            raise ValueError(f"a window holds at least one ticket, not {window}")
        self._size = window
        self._window: deque[Outcome] = deque()
        self._confusion = Confusion()
        self._drift = ErrorDrift()
        self._history: deque[Point] = deque(maxlen=POINTS_KEPT)
        self._batches: deque[Batch] = deque(maxlen=BATCHES_KEPT)
        self._drifts: deque[Drift] = deque(maxlen=DRIFTS_KEPT)
        self._batch: deque[Outcome] = deque(maxlen=window)
        self._judged = 0

    @property
    def judged(self) -> int:
        """How many tickets were judged in all."""
        return self._judged

    @property
    def history(self) -> tuple[Point, ...]:
        """A point for every POINT_EVERY tickets, oldest first."""
        return tuple(self._history)

    @property
    def batches(self) -> tuple[Batch, ...]:
        """What was learned together, oldest first."""
        return tuple(self._batches)

    @property
    def drifts(self) -> tuple[Drift, ...]:
        """When the error rate changed for good, oldest first."""
        return tuple(self._drifts)

    def record(self, outcome: Outcome) -> None:
        """One judged ticket."""
        self._window.append(outcome)
        self._batch.append(outcome)
        self._confusion.count(outcome)
        if len(self._window) > self._size:
            self._confusion.count(self._window.popleft(), -1)
        self._judged += 1
        change = self._drift.update(wrong=not outcome.right)
        if change is not None:
            self._drifts.append(Drift(outcome.at, self._judged, change.before, change.after))
        if self._judged % POINT_EVERY == 0:
            self._history.append(self._point(outcome.at))

    def withdraw(self, event_ids: Collection[str]) -> None:
        """Judge by these no longer; history stays as it was measured."""
        if event_ids:
            kept = [outcome for outcome in self._window if outcome.event_id not in event_ids]
            self._window, self._confusion = deque(kept), Confusion(kept)
            batch = (outcome for outcome in self._batch if outcome.event_id not in event_ids)
            self._batch = deque(batch, maxlen=self._size)

    def mark(self, offset: int) -> None:
        """What was recorded since the last mark is learned together, at this offset of the log."""
        if self._batch:
            own = Confusion(self._batch).quality()
            at = self._batch[-1].at
            self._batches.append(Batch(at, offset, own, self._confusion.quality()))
            self._batch.clear()

    def now(self) -> Quality:
        """The window as it stands."""
        return self._confusion.quality()

    def topics(self) -> dict[str, TopicQuality]:
        """Every topic that was answered or meant within the window, by name."""
        return self._confusion.topics()

    def state(self) -> dict[str, Any]:
        """Plain values that `from_state` takes back."""
        return {
            "window": [outcome.values() for outcome in self._window],
            "batch": [outcome.values() for outcome in self._batch],
            "history": [asdict(point) for point in self._history],
            "batches": [asdict(batch) for batch in self._batches],
            "drifts": [asdict(drift) for drift in self._drifts],
            "drift": self._drift.state(),
            "judged": self._judged,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], window: int = WINDOW) -> "PrequentialQuality":
        """The quality that `state` described. Raises LookupError, TypeError or ValueError."""
        quality = cls(window)
        quality._window.extend(Outcome(*values) for values in state["window"])
        quality._confusion = Confusion(quality._window)
        quality._batch.extend(Outcome(*values) for values in state["batch"])
        quality._history.extend(_point(values) for values in state["history"])
        quality._batches.extend(_batch(values) for values in state["batches"])
        quality._drifts.extend(Drift(**values) for values in state["drifts"])
        quality._drift = ErrorDrift.from_state(state["drift"])
        quality._judged = int(state["judged"])
        return quality

    def copy(self) -> "PrequentialQuality":
        """A quality of its own with the same past."""
        twin = PrequentialQuality(self._size)
        twin._window, twin._batch = self._window.copy(), self._batch.copy()
        twin._confusion = Confusion(twin._window)
        twin._history, twin._batches = self._history.copy(), self._batches.copy()
        twin._drifts, twin._drift = self._drifts.copy(), self._drift.copy()
        twin._judged = self._judged
        return twin

    def _point(self, at: float) -> Point:
        topics = sorted(self.topics().items(), key=lambda item: -item[1].tickets)
        curves = {name: round(topic.f1, 4) for name, topic in topics[:TOPICS_CHARTED]}
        return Point(at, self._judged, self.now(), curves)


def _add(counts: Counter[str], name: str, times: int) -> None:
    counts[name] += times
    if not counts[name]:
        del counts[name]  # else every topic there ever was would be kept


def _point(values: Mapping[str, Any]) -> Point:
    return replace(Point(**values), quality=Quality(**values["quality"]))


def _batch(values: Mapping[str, Any]) -> Batch:
    return replace(
        Batch(**values), own=Quality(**values["own"]), window=Quality(**values["window"])
    )
