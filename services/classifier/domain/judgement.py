"""What humans said of the model's answers, up to an offset of the log, and what follows."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.error_budget import (
    NEVER,
    TARGET_PRECISION,
    Calibration,
    ErrorBudget,
    Threshold,
    measure_error_budget,
)
from services.classifier.domain.quality import Outcome, PrequentialQuality
from shared.events import TicketCorrected

# As much of the log as the model is judged by: it changes with what it learns.
EVIDENCE = 2_000


class Judgement:
    """Prequential quality, and the error budget that it moves.

    Thresholds are measured on the calibration hold-out of the trained model together with what
    humans said since, and only at marks of the log, so that two workers at one offset have the same
    ones. Whom humans look at is not known: where they only touch wrong labels, the measured
    precision is too low and the budget stricter than it need be, never laxer.
    """

    def __init__(
        self,
        calibration: Calibration,
        *,
        target: float = TARGET_PRECISION,
        quality: PrequentialQuality | None = None,
        evidence: Sequence[Outcome] = (),
    ) -> None:
        """Begin with a trained model's hold-out, or in the midst of the log with the rest given."""
        self._calibration = calibration
        self._trained = frozenset(calibration.classes)
        self._target = target
        self._quality = quality or PrequentialQuality()
        self._evidence = list(evidence)
        self._pending: list[Outcome] = []
        self._changed = False
        self._budget: ErrorBudget | None = None
        self._thresholds: tuple[tuple[str, ...], NDArray[np.float32]] | None = None

    @property
    def quality(self) -> PrequentialQuality:
        """Figures over time."""
        return self._quality

    @property
    def budget(self) -> ErrorBudget:
        """Thresholds as of the last mark."""
        if self._budget is None:
            self._budget = self._measured()
        return self._budget

    def threshold(self, topic: str) -> Threshold:
        """The topic's own, or the pooled one.

        A topic that the model was not trained on has no part in the pooled one until a human has
        judged one of its answers: what was just named or corrected for the first time is suggested.
        """
        known = topic in self._trained or topic in self.budget.topics
        return self.budget.threshold(topic) if known else NEVER

    def thresholds(self, classes: tuple[str, ...]) -> NDArray[np.float32]:
        """Shape (classes,): from which probability on an answer is applied; infinite for never."""
        if self._thresholds is None or self._thresholds[0] != classes:
            values = [self.threshold(name).confidence for name in classes]
            self._thresholds = classes, np.asarray(values, np.float32)
        return self._thresholds[1]

    def aim(self, target: float) -> None:
        """Measure for this precision from now on. The evidence is the same for every target."""
        if target != self._target:
            self._target = target
            self._forget()

    def hear(self, event: TicketCorrected, answered: str, confidence: float) -> None:
        """A human's word, and what the model says before it learns it."""
        if event.topic is not None:
            at = event.received_at.timestamp()
            self.record(Outcome(event.event_id, answered, confidence, event.topic, at))

    def record(self, outcome: Outcome) -> None:
        """An answer given before its label was learned."""
        self._quality.record(outcome)
        self._pending.append(outcome)
        del self._pending[:-EVIDENCE]

    def withdraw(self, event_ids: Collection[str]) -> None:
        """Judge by these corrections no longer, from the next mark on."""
        before = len(self._evidence) + len(self._pending)
        self._quality.withdraw(event_ids)
        self._evidence = [each for each in self._evidence if each.event_id not in event_ids]
        self._pending = [each for each in self._pending if each.event_id not in event_ids]
        self._changed |= before > len(self._evidence) + len(self._pending)

    def mark(self, offset: int) -> None:
        """A refit of this offset: what was recorded since the last one is measured now."""
        self._quality.mark(offset)
        if self._pending or self._changed:
            self._evidence = [*self._evidence, *self._pending][-EVIDENCE:]
            self._pending, self._changed = [], False
            self._forget()

    def settle(self) -> None:
        """Measure now what the next question would have to wait for."""
        self._budget = self.budget

    def restart(self, calibration: Calibration) -> None:
        """Another trained model answers from here on; what was said of the last one is history."""
        self._calibration, self._trained = calibration, frozenset(calibration.classes)
        self._evidence, self._pending, self._changed = [], [], False
        self._forget()

    def state(self) -> dict[str, Any]:
        """Plain values that `from_state` takes back; the calibration is the trained model's."""
        return {
            "quality": self._quality.state(),
            "evidence": [each.values() for each in self._evidence],
            "pending": [each.values() for each in self._pending],
            "changed": self._changed,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any] | None, calibration: Calibration) -> "Judgement":
        """What `state` described; of None, as in snapshots from before, a new one.

        Raises LookupError, TypeError or ValueError.
        """
        if state is None:
            return cls(calibration)
        quality = PrequentialQuality.from_state(state["quality"])
        evidence = [Outcome(*values) for values in state["evidence"]]
        judgement = cls(calibration, quality=quality, evidence=evidence)
        judgement._pending = [Outcome(*values) for values in state["pending"]]
        judgement._changed = bool(state["changed"])
        return judgement

    def copy(self) -> "Judgement":
        """A judgement of its own with the same past."""
        twin = Judgement(
            self._calibration,
            target=self._target,
            quality=self._quality.copy(),
            evidence=self._evidence,
        )
        twin._pending, twin._changed = list(self._pending), self._changed
        twin._budget, twin._thresholds = self._budget, self._thresholds
        return twin

    def _forget(self) -> None:
        self._budget = self._thresholds = None

    def _measured(self) -> ErrorBudget:
        held, names = self._calibration, self._calibration.classes
        return measure_error_budget(
            [*(names[at] for at in held.labels.tolist()), *(e.label for e in self._evidence)],
            [*(names[at] for at in held.predicted.tolist()), *(e.answered for e in self._evidence)],
            [*chain(held.confidence.tolist(), (e.confidence for e in self._evidence))],
            target=self._target,
        )
