"""What every model answers: scores per head, and which model gave them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered: a name, the version it was saved under, a digest of its content.

    log_offset: how much of the correction log it had folded; 0 for a model that folds none.
    """

    name: str
    version: str
    digest: str
    log_offset: int = 0


@dataclass(frozen=True, slots=True)
class HeadScores:
    """Calibrated probabilities of one head (topic or priority) for a batch.

    probabilities: shape (tickets, classes), rows sum to 1, columns in the order of `classes`.
    """

    classes: tuple[str, ...]
    probabilities: Probabilities


@dataclass(frozen=True, slots=True)
class Labelling:
    """A batch of answers. `priority` is None where the model was never shown a priority.

    model: who answered, where that changes from batch to batch because the model learns.
    thresholds: shape (topics,), from which probability on a topic is applied without a human; None
    where nothing was measured, so that everything is a suggestion.
    """

    topic: HeadScores
    priority: HeadScores | None
    model: ModelIdentity | None = None
    thresholds: NDArray[np.float32] | None = None


class Labeller(Protocol):
    """A model as the hot path sees it. Called from one thread at a time, never blocks on I/O."""

    @property
    def identity(self) -> ModelIdentity: ...

    def label(self, texts: Sequence[str]) -> Labelling:
        """Scores of every head for `texts` (subject and body joined by `ticket_text`)."""
        ...


class TextClassifier(Protocol):
    """One head of one family: what `evaluate` judges and what a Labeller is made of."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch. Raises ValueError when fewer than two classes are given."""
        ...

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1."""
        ...

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): higher means less like anything learned."""
        ...


def ticket_text(subject: str, body: str) -> str:
    """The one way subject and body become one text, for training and serving alike."""
    if not subject:
        return body
    return f"{subject}\n{body}" if body else subject
