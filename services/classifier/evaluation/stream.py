"""Test-then-train over a file in its own order: how a model does that starts with nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.classifier.evaluation.metrics import Answers
from services.classifier.evaluation.online import OnlineClassifier, Report

# Every ticket is learned at once; the balanced refit, which the service does every few seconds, and
# the encoding of new words, which it does in the background, here every so many tickets.
REFIT_EVERY = 100
REPORT_EVERY = 20
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
    confidence: list[float] = []
    next_fit = FIRST_FIT
    for seen, (text, label) in enumerate(zip(texts, labels, strict=True), start=1):
        name, sure = _ask(model, text)
        predicted.append(name)
        confidence.append(sure)
        model.correct(text, label)
        if seen >= next_fit and len(set(labels[:seen])) > 1:
            model.fit(texts[:seen], labels[:seen])
            next_fit = 2 * seen
        elif seen % REFIT_EVERY == 0:
            model.refit()
            model.encode_pending()
        if seen % REPORT_EVERY == 0 or seen == len(texts):
            report("testing, then training", seen, len(texts))
    answers = Answers(
        np.asarray(labels, dtype=np.str_),
        np.asarray(predicted, dtype=np.str_),
        np.asarray(confidence, dtype=np.float32),
    )
    return _figures(answers)


def _ask(model: OnlineClassifier, text: str) -> tuple[str, float]:
    if not model.classes:
        return NOTHING_YET, 0.0
    (row,) = model.predict_proba([text])
    best = int(row.argmax())
    return model.classes[best], float(row[best])


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
