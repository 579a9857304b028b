"""The batch model: TF-IDF and a linear softmax; slow to fit, accurate, teacher and reference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import (
    HeadScores,
    Labelling,
    ModelIdentity,
    Probabilities,
)
from services.classifier.models.batch.softmax_head import HeldOut, Report, SoftmaxHead
from services.classifier.models.batch.tfidf import TfidfFeatures
from services.classifier.models.digests import digest_of


def _silent(step: str) -> None:
    """No one is watching this fit."""


class BatchClassifier:
    """One head on its own features: a TextClassifier."""

    def __init__(self, *, seed: int = 0, report: Report = _silent) -> None:
        self._features = TfidfFeatures()
        self._head = SoftmaxHead(seed=seed)
        self._report = report

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the columns of every answer."""
        return self._head.classes

    @property
    def held_out(self) -> HeldOut | None:
        """Answers for the rows the sharpness was set on; None when there were too few."""
        return self._head.held_out

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch. ValueError when fewer than two classes are given."""
        self._report("counting words and character n-grams")
        matrix = self._features.fit_transform(texts, len(set(labels)))
        self._head.fit(matrix, labels, self._report)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1."""
        return self._head.probabilities(self._features.transform(texts))

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): minus the largest logit (Hendrycks et al. 2022, "MaxLogit")."""
        logits = self._head.logits(self._features.transform(texts))
        return np.asarray(-logits.max(axis=1), dtype=np.float32)


class BatchLabeller:
    """A Labeller: topic and, where priorities were given, priority on the same features."""

    def __init__(
        self,
        features: TfidfFeatures,
        topic: SoftmaxHead,
        priority: SoftmaxHead | None,
        identity: ModelIdentity,
    ) -> None:
        self._features = features
        self._topic = topic
        self._priority = priority
        self._identity = identity

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        topics: Sequence[str | None],
        priorities: Sequence[str | None] | None = None,
        *,
        seed: int = 0,
        report: Report = _silent,
    ) -> "BatchLabeller":
        """Fit both heads, each of the texts that have a label for it.

        ValueError when a head is given fewer than two classes.
        """
        features = TfidfFeatures()
        report("counting words and character n-grams")
        matrix = features.fit_transform(texts, len(set(topics)))

        def fitted(name: str, labels: Sequence[str | None]) -> SoftmaxHead:
            head = SoftmaxHead(seed=seed)
            rows = [at for at, label in enumerate(labels) if label is not None]
            given = [label for label in labels if label is not None]
            head.fit(matrix[rows], given, lambda step: report(f"{name}: {step}"))
            return head

        topic = fitted("topic", topics)
        priority = None if priorities is None else fitted("priority", priorities)
        labeller = cls(features, topic, priority, ModelIdentity("batch", "unsaved", ""))
        return labeller.renamed("unsaved")

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest of what was learned."""
        return self._identity

    @property
    def topic(self) -> SoftmaxHead:
        """The head that always exists."""
        return self._topic

    @property
    def priority(self) -> SoftmaxHead | None:
        """None where the model was never shown a priority."""
        return self._priority

    def label(self, texts: Sequence[str]) -> Labelling:
        """Scores of every head for `texts`."""
        matrix = self._features.transform(texts)
        topic = HeadScores(self._topic.classes, self._topic.probabilities(matrix))
        priority = None
        if self._priority is not None:
            priority = HeadScores(self._priority.classes, self._priority.probabilities(matrix))
        return Labelling(topic, priority)

    def renamed(self, version: str) -> "BatchLabeller":
        """The same model under another version; its digest is computed from its content."""
        identity = ModelIdentity("batch", version, digest_of(self.state()))
        return BatchLabeller(self._features, self._topic, self._priority, identity)

    def state(self) -> dict[str, Any]:
        """Plain values and arrays, all that a prediction needs."""
        return {
            "features": self._features.state(),
            "topic": self._topic.state(),
            "priority": self._priority.state() if self._priority else None,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], version: str) -> "BatchLabeller":
        """The labeller that `state` described."""
        priority = state["priority"]
        return cls(
            TfidfFeatures.from_state(state["features"]),
            SoftmaxHead.from_state(state["topic"]),
            SoftmaxHead.from_state(priority) if priority else None,
            ModelIdentity("batch", version, digest_of(state)),
        )
