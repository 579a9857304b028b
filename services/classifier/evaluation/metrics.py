"""Figures of merit of a classifier, from true labels and probabilities."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from services.classifier.domain.labelling import Probabilities

Strings = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers to a test set, reduced to what every figure needs.

    labels, predicted: shape (rows,); confidence: shape (rows,), the predicted class's probability.
    """

    labels: Strings
    predicted: Strings
    confidence: NDArray[np.float32]

    @classmethod
    def of(
        cls, labels: Sequence[str], classes: Sequence[str], probabilities: Probabilities
    ) -> "Answers":
        """The likeliest class of every row; ties go to the earlier column."""
        best = probabilities.argmax(axis=1)
        return cls(
            labels=np.asarray(labels, dtype=np.str_),
            predicted=np.asarray(classes, dtype=np.str_)[best],
            confidence=probabilities[np.arange(len(best)), best],
        )

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Shape (rows,)."""
        return np.asarray(self.labels == self.predicted)


def accuracy(answers: Answers) -> float:
    """Share of rows answered right; nan without rows."""
    return float(answers.correct.mean()) if len(answers.labels) else float("nan")


def f1_by_class(answers: Answers) -> dict[str, float]:
    """F1 of each class that occurs among the true labels or the answers."""
    truth, given = Counter(answers.labels.tolist()), Counter(answers.predicted.tolist())
    hits = Counter(answers.labels[answers.correct].tolist())
    names = sorted(truth.keys() | given.keys())
    return {name: 2.0 * hits[name] / (truth[name] + given[name]) for name in names}


def macro_f1(answers: Answers) -> float:
    """Unweighted mean of F1 over the classes of the true labels and the answers."""
    scores = f1_by_class(answers)
    return float(np.mean(list(scores.values()))) if scores else float("nan")


def majority_accuracy(train_labels: Sequence[str], test_labels: Sequence[str]) -> float:
    """Accuracy of always answering the training set's most frequent class."""
    # Among equally frequent classes the first by name, so that the figure does not vary.
    counts = Counter(train_labels)
    commonest = min(counts, key=lambda name: (-counts[name], name))
    return sum(label == commonest for label in test_labels) / len(test_labels)


def expected_calibration_error(answers: Answers, bins: int = 15) -> float:
    """Mean |accuracy - confidence| over equal-width bins, weighted by rows (Naeini et al. 2015)."""
    edges = np.clip((answers.confidence * bins).astype(np.int64), 0, bins - 1)
    counts = np.bincount(edges, minlength=bins)
    hits = np.bincount(edges, weights=answers.correct, minlength=bins)
    confidence = np.bincount(edges, weights=answers.confidence, minlength=bins)
    return float(np.abs(hits - confidence).sum() / max(int(counts.sum()), 1))


def auroc(known: NDArray[np.float32], novel: NDArray[np.float32]) -> float:
    """Chance that a novel row scores higher than a known one, ties counting half."""
    if not len(known) or not len(novel):
        return float("nan")
    ranks = rankdata(np.concatenate([known, novel]))
    above = ranks[len(known) :].sum() - len(novel) * (len(novel) + 1) / 2
    return float(above / (len(known) * len(novel)))


def coverage_at_precision(answers: Answers, precision: float = 0.95) -> float:
    """Largest share of rows, surest first, that is answered with at least this precision.

    Rows of equal confidence are in or out together: a threshold cannot tell them apart.
    """
    order = np.argsort(-answers.confidence, kind="stable")
    hits = np.cumsum(answers.correct[order])
    taken = np.arange(1, len(order) + 1)
    sorted_confidence = answers.confidence[order]
    last_of_tie = np.append(sorted_confidence[1:] != sorted_confidence[:-1], True)
    good = last_of_tie[: len(order)] & (hits >= precision * taken)
    return float(taken[good].max() / len(order)) if good.any() else 0.0


@dataclass(frozen=True, slots=True)
class Confusion:
    """A pair of classes that are taken for one another."""

    label: str
    predicted: str
    count: int
    share: float


def worst_pairs(answers: Answers, limit: int = 10) -> list[Confusion]:
    """The commonest (true, predicted) mistakes; `share` is of the true class's rows."""
    wrong = ~answers.correct
    pairs = Counter(
        zip(answers.labels[wrong].tolist(), answers.predicted[wrong].tolist(), strict=True)
    )
    totals = Counter(answers.labels.tolist())
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [
        Confusion(label, predicted, count, count / totals[label])
        for (label, predicted), count in ranked
    ]
