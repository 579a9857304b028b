"""Judging one fitted model on held-out tickets: every figure of the report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities, TextClassifier
from services.classifier.evaluation import cost, metrics
from services.classifier.evaluation.metrics import Answers, Confusion
from services.classifier.evaluation.online import Report

# The serving batch; also bounds the memory of a test set of any size.
BATCH = 512


@dataclass(frozen=True, slots=True)
class Judgement:
    """Figures of one model on one test set; the fields are the keys of the JSON report.

    oos_auroc: None without an out-of-scope file. Times are CPU seconds of one core.
    """

    accuracy: float
    macro_f1: float
    majority_accuracy: float
    ece: float
    oos_auroc: float | None
    semantic_share: float
    coverage_at_precision_95: float
    tickets_per_cpu_second: float
    tickets_per_cpu_second_batch32: float
    single_ticket_us: float
    fit_cpu_seconds: float
    peak_rss_mb: float
    worst_pairs: list[Confusion]
    test_rows: int
    classes: int


def answer(model: TextClassifier, texts: Sequence[str], report: Report) -> Probabilities:
    """Probabilities of all texts, asked in serving batches; shape (texts, classes)."""
    parts = []
    for start in range(0, len(texts), BATCH):
        parts.append(model.predict_proba(texts[start : start + BATCH]))
        report("predicting", min(start + BATCH, len(texts)), len(texts))
    return np.concatenate(parts)


def novelty(model: TextClassifier, texts: Sequence[str]) -> NDArray[np.float32]:
    """Novelty scores of all texts, asked in serving batches; shape (texts,)."""
    return np.concatenate(
        [model.novelty(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    )


def judge(
    model: TextClassifier,
    answers: Answers,
    texts: Sequence[str],
    *,
    train_labels: Sequence[str],
    out_of_scope: Sequence[str],
    semantic_share: float,
    fit_cpu_seconds: float,
) -> Judgement:
    """Every figure. `answers` are the model's to `texts`; cost is measured on the same texts."""
    oos_auroc = None
    if out_of_scope:
        oos_auroc = metrics.auroc(novelty(model, texts), novelty(model, out_of_scope))
    spent = cost.measure(model, texts)
    return Judgement(
        accuracy=metrics.accuracy(answers),
        macro_f1=metrics.macro_f1(answers),
        majority_accuracy=metrics.majority_accuracy(train_labels, answers.labels.tolist()),
        ece=metrics.expected_calibration_error(answers),
        oos_auroc=oos_auroc,
        semantic_share=semantic_share,
        coverage_at_precision_95=metrics.coverage_at_precision(answers),
        tickets_per_cpu_second=spent.tickets_per_cpu_second,
        tickets_per_cpu_second_batch32=spent.tickets_per_cpu_second_batch32,
        single_ticket_us=spent.single_ticket_us,
        fit_cpu_seconds=fit_cpu_seconds,
        peak_rss_mb=cost.peak_rss_mb(),
        worst_pairs=metrics.worst_pairs(answers),
        test_rows=len(texts),
        classes=len(model.classes),
    )
