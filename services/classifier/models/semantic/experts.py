"""The first semantic expert: a softmax head on encoder vectors."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.logistic import LogisticHead, fit_logistic

Array = NDArray[np.float32]

_STRENGTH: Final = 30.0
# Fitting a softmax over more classes than this takes minutes; then a class is its mean vector.
_MOST_CLASSES: Final = 1_000
_PROTOTYPE_SCALE: Final = 10.0


class SemanticHead:
    """Softmax regression on centred unit vectors; texts without a vector get equal logits."""

    def __init__(self, centre: Array | None = None, start: LogisticHead | None = None) -> None:
        """centre: shape (dimension,), else the mean of what is learned; start: where to begin."""
        self.head = start or LogisticHead(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
        self.centre = np.zeros(0, np.float32) if centre is None else centre
        self._start = start

    def fit(
        self,
        vectors: Array,
        labels: NDArray[np.int32],
        classes: int,
        importance: Array | None = None,
    ) -> None:
        """Learn; the centre stays where one was given."""
        present = vectors.any(axis=1)
        if not len(self.centre):
            self.centre = vectors[present].mean(axis=0).astype(np.float32)
        if classes > _MOST_CLASSES:
            self.head = _prototypes(vectors[present] - self.centre, labels[present], classes)
            return
        self.head = fit_logistic(
            vectors[present] - self.centre, labels[present], classes, strength=_STRENGTH,
            importance=None if importance is None else importance[present], start=self._start,
        )  # fmt: skip

    def logits(self, vectors: Array) -> Array:
        """Shape (texts, classes it was fitted for)."""
        if not self.head.weights.size:
            return np.zeros((len(vectors), 0), np.float32)
        result = self.head.logits(vectors - self.centre)
        result[~vectors.any(axis=1)] = 0.0
        return result


def _prototypes(vectors: Array, labels: NDArray[np.int32], classes: int) -> LogisticHead:
    """Mean direction of each class as its weights."""
    sums = np.zeros((classes, vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors)
    weights = np.float32(_PROTOTYPE_SCALE) * unit(sums).T
    return LogisticHead(np.ascontiguousarray(weights), np.zeros(classes, np.float32))


def unit(vectors: Array) -> Array:
    """Rows scaled to unit length; rows of zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Any = vectors / np.maximum(length, 1e-6)
    return np.asarray(result, np.float32)
