"""The semantic experts: a softmax head on encoder vectors, and the nearest exemplars of a class."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.blas import one_thread
from services.classifier.models.logistic import LogisticHead, fit_logistic

Array = NDArray[np.float32]

_STRENGTH: Final = 30.0
# Exemplars kept of each class: the latest, because a correction is the best one.
_EXEMPLARS: Final = 30
# Fitting a softmax over more classes than this takes minutes; then a class is its mean vector.
_MOST_CLASSES: Final = 1_000
_PROTOTYPE_SCALE: Final = 10.0


class SemanticHead:
    """Softmax regression on centred unit vectors; texts without a vector get equal logits."""

    def __init__(self) -> None:
        self.head = LogisticHead(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
        self.centre = np.zeros(0, np.float32)

    def fit(
        self,
        vectors: Array,
        labels: NDArray[np.int32],
        classes: int,
        importance: Array | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Learn; `again` keeps the centre and starts from the head there is."""
        present = vectors.any(axis=1)
        if not again:
            self.centre = vectors[present].mean(axis=0).astype(np.float32)
        if classes > _MOST_CLASSES:
            self.head = _prototypes(vectors[present] - self.centre, labels[present], classes)
            return
        self.head = fit_logistic(
            vectors[present] - self.centre, labels[present], classes, strength=_STRENGTH,
            importance=None if importance is None else importance[present],
            start=self.head if again else None,
        )  # fmt: skip

    def logits(self, vectors: Array) -> Array:
        """Shape (texts, classes)."""
        result = self.head.logits(vectors - self.centre)
        result[~vectors.any(axis=1)] = 0.0
        return result


def _prototypes(vectors: Array, labels: NDArray[np.int32], classes: int) -> LogisticHead:
    """Mean direction of each class as its weights."""
    sums = np.zeros((classes, vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors)
    weights = np.float32(_PROTOTYPE_SCALE) * unit(sums).T
    return LogisticHead(np.ascontiguousarray(weights), np.zeros(classes, np.float32))


class ExemplarMemory:
    """Up to 30 vectors of each class; a text's score for a class is its nearest one's cosine."""

    def __init__(self, centre: Array) -> None:
        self._centre = centre
        self._vectors: list[Array] = []
        self._labels: list[int] = []
        self._matrix: Array | None = None
        self._starts = np.zeros(0, np.int64)
        self._owners = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._vectors)

    def add(self, vectors: Array, labels: Sequence[int]) -> None:
        """Remember examples in order; vectors of nothing are passed over."""
        centred = unit(vectors - self._centre)
        for place in np.flatnonzero(vectors.any(axis=1)).tolist():
            self._vectors.append(centred[place])
            self._labels.append(int(labels[place]))
        self._matrix = None

    def scores(self, vectors: Array, classes: int) -> Array:
        """Greatest cosine to an exemplar of each class, shape (texts, classes); none gives 0."""
        self._arrange()
        out = np.zeros((len(vectors), classes), np.float32)
        if self._matrix is None or not len(vectors):
            return out
        with one_thread():
            cosines = unit(vectors - self._centre) @ self._matrix.T
        out[:, self._owners] = np.maximum.reduceat(cosines, self._starts, axis=1)
        out[~vectors.any(axis=1)] = 0.0
        return out

    def _arrange(self) -> None:
        """Exemplars of each class side by side, the older of too many forgotten."""
        if self._matrix is not None or not self._vectors:
            return
        kept: dict[int, list[int]] = {}
        for place, label in enumerate(self._labels):
            kept.setdefault(label, []).append(place)
        order = [place for label in sorted(kept) for place in kept[label][-_EXEMPLARS:]]
        self._vectors = [self._vectors[place] for place in order]
        self._labels = [self._labels[place] for place in order]
        labels = np.asarray(self._labels)
        self._owners, self._starts = np.unique(labels, return_index=True)
        self._matrix = np.stack(self._vectors)


def unit(vectors: Array) -> Array:
    """Rows scaled to unit length; rows of zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Any = vectors / np.maximum(length, 1e-6)
    return np.asarray(result, np.float32)
