"""The error budget: how sure a label must be before it is applied without a human.

A threshold is granted only on evidence. Of the labels at or above it, the share that was right
must reach the target even at the lower end of its Wilson interval (Wilson 1927). Candidates are
tried in a sequence fixed beforehand, from the surest tickets on, until one fails, so that trying
many costs no assurance (fixed-sequence testing: Angelopoulos et al. 2021, "Learn then Test");
the few starting points share it (Bonferroni), because the best of many looks better than it is.
A topic with too few tickets of its own borrows the threshold
of all topics together, unless what is known of it already speaks against that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

TARGET_PRECISION = 0.95
# Chance that every granted threshold of one search keeps its promise.
ASSURANCE = 0.9
# Sequences start with these shares of the tickets, the surest ones.
STARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
# Each step of a sequence takes in so many times the tickets of the one before.
STEP = 1.03


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a model answered to tickets it had not learned, kept to grant thresholds on.

    classes: every topic the model was trained on. The others, shape (tickets,): the human's label
    and the model's answer as places in `classes`, and the probability of the answer.
    """

    classes: tuple[str, ...] = ()
    labels: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    predicted: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    confidence: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    @classmethod
    def of(
        cls,
        classes: Sequence[str],
        held_out: tuple[Sequence[str], NDArray[np.float32]] | None,
    ) -> "Calibration":
        """Of labels and probabilities (tickets, classes); None where nothing was held out."""
        if held_out is None:
            return cls(tuple(classes))
        labels, probabilities = held_out
        place = {name: at for at, name in enumerate(classes)}
        best = probabilities.argmax(axis=1)
        return cls(
            tuple(classes),
            np.asarray([place[label] for label in labels], np.int32),
            best.astype(np.int32),
            np.asarray(probabilities[np.arange(len(best)), best], np.float32),
        )

    def state(self) -> dict[str, Any]:
        """Plain values and arrays that `from_state` takes back."""
        return {
            "classes": list(self.classes),
            "labels": self.labels,
            "predicted": self.predicted,
            "confidence": self.confidence,
        }

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any] | None, classes_known: Sequence[str]
    ) -> "Calibration":
        """What `state` described; of None, as in models from before, classes without evidence.

        Raises ValueError where the arrays do not agree with each other.
        """
        if state is None:
            return cls(tuple(classes_known))
        classes = tuple(str(name) for name in state["classes"])
        labels, predicted = (np.asarray(state[name], np.int32) for name in ("labels", "predicted"))
        confidence = np.asarray(state["confidence"], np.float32)
        places = np.concatenate([labels, predicted])
        if len(labels) != len(confidence) or len(predicted) != len(confidence):
            raise ValueError("the saved calibration's columns differ in length")
        if len(places) and not 0 <= int(places.min()) <= int(places.max()) < len(classes):
            raise ValueError("the saved calibration names classes that it does not list")
        return cls(classes, labels, predicted, confidence)


class Evidence(StrEnum):
    """Whose tickets a threshold stands on."""

    OWN = "own"
    POOLED = "pooled"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Labels of at least `confidence` are applied; infinity applies none.

    precision: measured on the tickets at or above it; lower_bound: what is sure of it;
    coverage: the share of the topic's labels that is at or above it; tickets: how many labels of
    the topic the measurement had in all.
    """

    confidence: float
    precision: float
    lower_bound: float
    coverage: float
    tickets: int
    evidence: Evidence


NEVER = Threshold(inf, 0.0, 0.0, 0.0, 0, Evidence.NONE)


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """Thresholds by topic, and the pooled one for topics never measured."""

    target: float
    pooled: Threshold
    topics: Mapping[str, Threshold]
    coverage: float

    def threshold(self, topic: str) -> Threshold:
        """The topic's own, else the pooled one."""
        return self.topics.get(topic, self.pooled)

    def applies(self, topic: str, confidence: float) -> bool:
        """Whether a label of this confidence is applied; otherwise it is a suggestion."""
        return confidence >= self.threshold(topic).confidence


def wilson_bound(hits: int, trials: int, z: float) -> float:
    """Lower end of Wilson's interval for hits / trials at z standard deviations; -z the upper.

    0 without trials (1 for the upper end): nothing is known.
    """
    if not trials:
        return 0.0 if z >= 0 else 1.0
    rate, square = hits / trials, z * z / trials
    spread = z * sqrt(rate * (1.0 - rate) / trials + square / (4.0 * trials))
    return (rate + square / 2.0 - spread) / (1.0 + square)


def measure_error_budget(
    labels: Sequence[str],
    predicted: Sequence[str],
    confidence: Sequence[float],
    *,
    target: float = TARGET_PRECISION,
    assurance: float = ASSURANCE,
) -> ErrorBudget:
    """Find the thresholds on tickets that the model had not learned.

    labels: what a human said; predicted and confidence: what the model had said. ValueError for a
    target or an assurance outside (0, 1).
    """
    if not (0.0 < target < 1.0 and 0.0 < assurance < 1.0):
        raise ValueError(f"target {target} and assurance {assurance} must lie between 0 and 1")
    answered = np.asarray(predicted, dtype=np.str_)
    right = np.asarray(labels, dtype=np.str_) == answered
    sure = np.asarray(confidence, dtype=np.float64)
    pooled = _search(right, sure, target, assurance)
    topics = {}
    names, codes = np.unique(answered, return_inverse=True)
    order, ends = np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes)).tolist()
    for topic, start, end in zip(names.tolist(), [0, *ends], ends, strict=False):
        own = order[start:end]
        found = _search(right[own], sure[own], target, assurance)
        if found.evidence is Evidence.NONE:
            found = _borrowed(right[own], sure[own], pooled, target, assurance)
        topics[topic] = found
    taken = sum(found.coverage * found.tickets for found in topics.values())
    return ErrorBudget(target, pooled, topics, taken / max(len(answered), 1))


def _search(
    right: NDArray[np.bool_], sure: NDArray[np.float64], target: float, assurance: float
) -> Threshold:
    """The lowest threshold that a sequence reached; of no evidence where none passed a step."""
    order = np.argsort(-sure, kind="stable")
    right, sure = right[order], sure[order]
    sequences = _sequences(len(sure), target, assurance)
    z = NormalDist().inv_cdf(1.0 - (1.0 - assurance) / max(len(sequences), 1))
    most, lower_bound = 0, 0.0
    for sizes in sequences:
        for size in sizes:
            # Equal confidence cannot be told apart: the whole tie is in.
            taken = int(np.searchsorted(-sure, -sure[size - 1], side="right"))
            bound = wilson_bound(int(right[:taken].sum()), taken, z)
            if bound < target:
                break
            if taken > most:
                most, lower_bound = taken, bound
    if not most:
        return _threshold(right, sure, inf, 0.0, Evidence.NONE)
    return _threshold(right, sure, float(sure[most - 1]), lower_bound, Evidence.OWN)


def _sequences(rows: int, target: float, assurance: float) -> list[list[int]]:
    """Numbers of surest tickets to try, in order; fixed before any label is looked at."""
    # Fewer could not reach the target even if all were right: the bound is n / (n + z^2).
    fewest = NormalDist().inv_cdf(assurance) ** 2 * target / (1.0 - target)
    sequences = []
    for share in STARTS:
        sizes, size = [], share * rows
        while max(fewest, 1.0) <= size < rows:
            sizes.append(int(size))
            size *= STEP
        if sizes or (share == 1.0 and rows >= max(fewest, 1.0)):
            sequences.append([*sizes, rows])
    return sequences


def _borrowed(
    right: NDArray[np.bool_],
    sure: NDArray[np.float64],
    pooled: Threshold,
    target: float,
    assurance: float,
) -> Threshold:
    """The pooled threshold, unless the topic's own tickets above it are too often wrong."""
    above = sure >= pooled.confidence
    z = NormalDist().inv_cdf(assurance)
    best = wilson_bound(int(right[above].sum()), int(above.sum()), -z)
    if pooled.evidence is Evidence.NONE or best < target:
        return _threshold(right, sure, inf, 0.0, Evidence.NONE)
    return _threshold(right, sure, pooled.confidence, pooled.lower_bound, Evidence.POOLED)


def _threshold(
    right: NDArray[np.bool_],
    sure: NDArray[np.float64],
    confidence: float,
    bound: float,
    evidence: Evidence,
) -> Threshold:
    above = sure >= confidence
    return Threshold(
        confidence=confidence,
        precision=float(right[above].mean()) if above.any() else 0.0,
        lower_bound=bound,
        coverage=float(above.mean()) if len(above) else 0.0,
        tickets=len(sure),
        evidence=evidence,
    )
