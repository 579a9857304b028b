"""The model families by name, made as the service makes them."""

import importlib
from collections.abc import Callable, Sequence
from itertools import count
from typing import cast

from services.classifier.domain.labelling import TextClassifier
from services.classifier.evaluation.online import OnlineClassifier, Report
from services.classifier.evaluation.tables import UnusableData
from services.classifier.models.batch import BatchClassifier
from services.classifier.models.fast import FastClassifier

NAMES = ("fast", "batch")
BATCH_STEPS = 4


def maker(
    name: str, seed: int, semantic_share: float, report: Report
) -> Callable[[], TextClassifier]:
    """What makes a fresh, unfitted model of this family, under the semantic stage if asked for."""

    def make() -> TextClassifier:
        if name == "batch":
            steps = count()
            return BatchClassifier(
                seed=seed, report=lambda step: report(step, next(steps), BATCH_STEPS)
            )
        return FastClassifier(seed=seed)

    if semantic_share == 0.0:
        return make
    cascade = importlib.import_module("services.classifier.models.cascade")
    return lambda: cast("TextClassifier", cascade.SemanticCascade(make(), share=semantic_share))


def zero_shot(names: Sequence[str]) -> TextClassifier:
    """The classifier that knows nothing but the names of the classes."""
    zero = importlib.import_module("services.classifier.models.zero")
    return cast("TextClassifier", zero.ZeroShot(names))


def online(model: TextClassifier, name: str) -> OnlineClassifier:
    """The same model as a learner of corrections. UnusableData where its family is none."""
    if not isinstance(model, OnlineClassifier):
        raise UnusableData(
            f"the {name} model is fitted in one go and does not learn from single corrections; "
            f"--stream and --adapt need --model fast"
        )
    return model


def share_sent(model: TextClassifier) -> float:
    """The share of tickets that the semantic stage was asked about since the fit."""
    return float(getattr(model, "semantic_share", 0.0))
