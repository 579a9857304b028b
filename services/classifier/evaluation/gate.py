"""The promotion gate: a challenger replaces the champion only if it is not worse."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.classifier.evaluation.metrics import Answers

RESAMPLES = 1_000
# Two-sided interval of the difference.
INTERVAL = 0.95
# Worse by less than this is noise that no one would notice.
TOLERANCE = 0.005
# Below this a paired bootstrap says nothing.
FEWEST_TICKETS = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """Challenger minus champion on one figure, with its bootstrap interval."""

    figure: str
    champion: float
    challenger: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Whether the challenger may be worse by more than the tolerance, as far as is known.

        On average it must be no worse than the tolerance, and the interval must not lie wholly
        below zero: a small but certain loss is refused too.
        """
        return self.challenger - self.champion < -TOLERANCE or self.high < 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to promote, and why in one sentence."""

    promoted: bool
    reason: str
    differences: tuple[Difference, ...] = ()


def decide(
    champion: Answers,
    challenger: Answers,
    seed: int = 0,
    weights: NDArray[np.float64] | None = None,
) -> Verdict:
    """Compare answers to the same held-out tickets by a paired bootstrap (Koehn 2004).

    weights: shape (rows,), how many tickets each one stands for; one each without them.
    Neither model may have learned from these tickets. ValueError when the two were not asked the
    same ones. Fewer than FEWEST_TICKETS promote nothing.
    """
    if not np.array_equal(champion.labels, challenger.labels):
        raise ValueError("champion and challenger must be judged on the same tickets")
    rows = len(champion.labels)
    if rows < FEWEST_TICKETS:
        return Verdict(False, f"{rows} held-out tickets are too few, {FEWEST_TICKETS} are needed")
    stands_for = np.ones(rows) if weights is None else weights
    old, new = _Coded.pair(champion, challenger)
    generator = np.random.default_rng(seed)
    resampled = np.empty((RESAMPLES, 2))
    for draw in range(RESAMPLES):
        counts = stands_for * np.bincount(generator.integers(0, rows, rows), minlength=rows)
        resampled[draw] = np.subtract(new.figures(counts), old.figures(counts))
    tail = (1.0 - INTERVAL) / 2.0
    low, high = np.quantile(resampled, (tail, 1.0 - tail), axis=0).tolist()
    before, after = old.figures(stands_for), new.figures(stands_for)
    differences = tuple(
        Difference(name, before[at], after[at], low[at], high[at])
        for at, name in enumerate(("accuracy", "macro-F1"))
    )
    for found in differences:
        if found.worse:
            reason = (
                f"{found.figure} falls from {found.champion:.4f} to {found.challenger:.4f} "
                f"({found.low:+.4f} to {found.high:+.4f})"
            )
            return Verdict(False, reason, differences)
    return Verdict(True, "not worse in accuracy nor in macro-F1", differences)


@dataclass(frozen=True, slots=True)
class _Coded:
    """Answers as numbers, so that a thousand resamples take a second: a row drawn k times is
    counted k times instead of being copied."""

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    classes: int

    @classmethod
    def pair(cls, one: Answers, other: Answers) -> tuple["_Coded", "_Coded"]:
        """Both with the same numbers for the same names."""
        names, codes = np.unique(
            np.concatenate([one.labels, one.predicted, other.predicted]), return_inverse=True
        )
        labels, first, second = np.split(codes.astype(np.int64), 3)
        return cls(labels, first, len(names)), cls(labels, second, len(names))

    def figures(self, counts: NDArray[np.float64]) -> tuple[float, float]:
        """Accuracy and macro-F1 with each row counted so often."""
        right = np.where(self.labels == self.predicted, counts, 0.0)
        hits = np.bincount(self.labels, right, self.classes)
        sizes = np.bincount(self.labels, counts, self.classes)
        sizes += np.bincount(self.predicted, counts, self.classes)
        met = sizes > 0
        return float(right.sum() / counts.sum()), float(np.mean(2.0 * hits[met] / sizes[met]))
