"""How fast new topics are learned from corrections, and what the old ones lose by it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.classifier.evaluation.metrics import (
    Answers,
    accuracy,
    f1_by_class,
    majority_accuracy,
)
from services.classifier.evaluation.online import OnlineClassifier, Report
from services.classifier.evaluation.tables import LabelledTickets, UnusableData

STEPS = (1, 3, 5, 8, 12, 20, 30)


@dataclass(frozen=True, slots=True)
class AdaptationStep:
    """After k corrections of each new class: their macro-F1, and accuracy on the old ones.

    Both on the whole test set's rows of their classes, among all classes old and new.
    """

    k: int
    new_f1: float
    old_accuracy: float


@dataclass(frozen=True, slots=True)
class Adaptation:
    """The classes held out, the state before the first correction, and every step after.

    old_majority_accuracy: of always answering the commonest old class, on the old ones' rows.
    """

    new_classes: tuple[str, ...]
    old_majority_accuracy: float
    before: AdaptationStep
    steps: list[AdaptationStep]


def choose_new_classes(
    labels: Sequence[str], count: int, seed: int, option: str = "--adapt"
) -> tuple[str, ...]:
    """`count` classes drawn by seed. UnusableData when fewer than two would remain."""
    names = sorted(set(labels))
    if not 1 <= count <= len(names) - 2:
        raise UnusableData(
            f"{option} {count} cannot be done with {len(names)} classes: "
            f"at least one must be new and two must remain"
        )
    drawn = np.random.default_rng(seed).choice(len(names), size=count, replace=False)
    return tuple(names[index] for index in sorted(drawn.tolist()))


def adapt(
    model: OnlineClassifier,
    train: LabelledTickets,
    test: LabelledTickets,
    new_classes: Sequence[str],
    *,
    seed: int,
    report: Report,
) -> Adaptation:
    """Fit without the new classes, then correct one ticket of each at a time.

    A class with fewer training rows than k gets all it has.
    """
    new = set(new_classes)
    old_rows = [row for row, label in enumerate(train.labels) if label not in new]
    report("fitting without the new classes", 0, STEPS[-1])
    kept = train.take(old_rows)
    model.fit(kept.texts, kept.labels)
    examples = _examples(train, new_classes, seed)
    before = _judge(model, test, new, 0)
    steps = []
    for k in range(1, STEPS[-1] + 1):
        for label in new_classes:
            if k <= len(examples[label]):
                model.correct(examples[label][k - 1], label)
        if k in STEPS:
            model.refit()
            steps.append(_judge(model, test, new, k))
        report("correcting", k, STEPS[-1])
    old_labels = [label for label in test.labels if label not in new]
    majority = majority_accuracy(kept.labels, old_labels) if old_labels else float("nan")
    return Adaptation(tuple(new_classes), majority, before, steps)


def _examples(
    train: LabelledTickets, new_classes: Sequence[str], seed: int
) -> dict[str, list[str]]:
    generator = np.random.default_rng(seed)
    labels = np.asarray(train.labels, dtype=np.str_)
    drawn: dict[str, list[str]] = {}
    for label in new_classes:
        rows = generator.permutation(np.flatnonzero(labels == label))[: STEPS[-1]]
        drawn[label] = [train.texts[row] for row in rows.tolist()]
    return drawn


def _judge(model: OnlineClassifier, test: LabelledTickets, new: set[str], k: int) -> AdaptationStep:
    answers = Answers.of(test.labels, model.classes, model.predict_proba(test.texts))
    old = ~np.isin(answers.labels, sorted(new))
    scores = f1_by_class(answers)
    return AdaptationStep(
        k=k,
        new_f1=float(np.mean([scores.get(label, 0.0) for label in sorted(new)])),
        old_accuracy=accuracy(
            Answers(answers.labels[old], answers.predicted[old], answers.confidence[old])
        ),
    )
