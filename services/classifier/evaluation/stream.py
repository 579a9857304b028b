"""Test-then-train over a file in its own order: how a model does that starts with nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.classifier.evaluation.metrics import Answers
from services.classifier.evaluation.online import OnlineClassifier, Report

# The prequential protocol of the design notes: learn every 20 tickets, refit every 200.
LEARN_EVERY = 20
REFIT_EVERY = 200
# Training from scratch, which the service does every night, here whenever the file has doubled:
# so its cost stays within twice that of one last fit.
FIRST_FIT = 200
# A class first seen after this share of the file is late; its curve is shown apart.
LATE_AFTER = 0.2
# The n-th tickets of a late class, from and to, inclusive; None has no end.
SPANS: tuple[tuple[int, int | None], ...] = ((1, 5), (6, 10), (11, 20), (21, 40), (41, None))
POINTS = 20
NOTHING_YET = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Accuracy on the `first`-th to `last`-th tickets of classes that appear late."""

    first: int
    last: int | None
    tickets: int
    accuracy: float


@dataclass(frozen=True, slots=True)
class Point:
    """Accuracy between the point before and `seen` tickets."""

    seen: int
    accuracy: float
    majority_accuracy: float


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """What test-then-train showed. majority_accuracy: always the commonest label so far."""

    answers: Answers
    majority_accuracy: float
    late_classes: int
    late_curve: list[Span]
    curve: list[Point]


def prequential(
    model: OnlineClassifier, texts: Sequence[str], labels: Sequence[str], report: Report
) -> StreamFigures:
    """Ask for each ticket before it is learned, in file order. The model may start empty."""
    predicted: list[str] = []
    next_fit = FIRST_FIT
    confidence: list[float] = []
    for start in range(0, len(texts), LEARN_EVERY):
        stop = min(start + LEARN_EVERY, len(texts))
        names, sure = _ask(model, texts[start:stop])
        predicted += names
        confidence += sure
        for text, label in zip(texts[start:stop], labels[start:stop], strict=True):
            model.correct(text, label)
        if stop >= next_fit and len(set(labels[:stop])) > 1:
            model.fit(texts[:stop], labels[:stop])
            next_fit = 2 * stop
        elif stop // REFIT_EVERY > start // REFIT_EVERY:
            model.refit()
        model.encode_pending()
        report("testing, then training", stop, len(texts))
    answers = Answers(
        np.asarray(labels, dtype=np.str_),
        np.asarray(predicted, dtype=np.str_),
        np.asarray(confidence, dtype=np.float32),
    )
    return _figures(answers)


def _ask(model: OnlineClassifier, texts: Sequence[str]) -> tuple[list[str], list[float]]:
    if not model.classes:
        return [NOTHING_YET] * len(texts), [0.0] * len(texts)
    classes, probabilities = model.classes, model.predict_proba(texts)
    best = probabilities.argmax(axis=1)
    sure = probabilities[np.arange(len(best)), best]
    return [classes[column] for column in best], sure.tolist()


def _figures(answers: Answers) -> StreamFigures:
    labels: list[str] = answers.labels.tolist()
    ordinal, first_seen, majority = _history(labels)
    late = {name for name, row in first_seen.items() if row >= LATE_AFTER * len(labels)}
    correct = answers.correct
    is_late = np.asarray([name in late for name in labels], dtype=np.bool_)
    spans = []
    for first, last in SPANS:
        chosen = is_late & (ordinal >= first) & (ordinal <= (last or len(labels)))
        if chosen.any():
            spans.append(Span(first, last, int(chosen.sum()), float(correct[chosen].mean())))
    edges = np.unique(np.linspace(0, len(labels), POINTS + 1).astype(int)).tolist()
    curve = [
        Point(stop, float(correct[start:stop].mean()), float(majority[start:stop].mean()))
        for start, stop in pairwise(edges)
    ]
    return StreamFigures(
        answers=answers,
        majority_accuracy=float(majority.mean()),
        late_classes=len(late),
        late_curve=spans,
        curve=curve,
    )


def _history(
    labels: Sequence[str],
) -> tuple[NDArray[np.int64], dict[str, int], NDArray[np.bool_]]:
    """Each row's number within its class, each class's first row, hits of the majority so far."""
    seen: Counter[str] = Counter()
    first_seen: dict[str, int] = {}
    ordinal = np.empty(len(labels), dtype=np.int64)
    majority = np.zeros(len(labels), dtype=np.bool_)
    leader = NOTHING_YET
    for row, label in enumerate(labels):
        majority[row] = label == leader
        seen[label] += 1
        ordinal[row] = seen[label]
        first_seen.setdefault(label, row)
        if seen[label] > seen[leader]:
            leader = label
    return ordinal, first_seen, majority
