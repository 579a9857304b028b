"""The semantic experts: a softmax head on encoder vectors, and the nearest exemplars of a class."""

from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.blas import one_thread
from services.classifier.models.jit import kernel
from services.classifier.models.logistic import LogisticHead, fit_logistic

Array = NDArray[np.float32]

_STRENGTH: Final = 30.0
# Exemplars kept of each class: the latest, because a correction is the best one.
_EXEMPLARS: Final = 30
# In all: 40 MB of vectors, however many classes there are.
_IN_ALL: Final = 20_000
# Fitting a softmax over more classes than this takes minutes; then a class is its mean vector.
_MOST_CLASSES: Final = 1_000
_PROTOTYPE_SCALE: Final = 10.0
_FREE: Final = -1
# Exemplars whose neighbours say how near exemplars usually are.
_COMPARED: Final = 2_000


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


class ExemplarMemory:
    """Up to 30 vectors of each class; a text's score for a class is its nearest one's cosine.

    An example is added, replaced or taken back by its key at a cost that does not depend on how
    many there are.
    """

    def __init__(self, centre: Array, classes: int = 1) -> None:
        """classes: about how many there will be; with very many each keeps fewer exemplars."""
        self._centre = centre
        self._most = max(1, min(_EXEMPLARS, _IN_ALL // max(classes, 1)))
        self._matrix = np.zeros((64, len(centre)), np.float32)
        self._owners = np.full(64, _FREE, np.int64)
        self._rows: dict[Hashable, int] = {}
        self._keys: dict[int, deque[Hashable]] = {}
        self._free = list(range(63, -1, -1))
        self._used = 0  # rows from here on never held anything

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, keys: Sequence[Hashable], vectors: Array, labels: Sequence[int]) -> None:
        """Remember examples in order; vectors of nothing are passed over.

        A known key is moved to its new class; the oldest of a full class is forgotten.
        """
        there = np.linalg.norm(vectors, axis=1, keepdims=True) > 0.0
        centred = np.where(there, unit(vectors - self._centre), np.float32(0.0))
        for key, vector, label in zip(keys, centred, labels, strict=True):
            self.remove(key)
            if not vector.any():
                continue
            kept = self._keys.setdefault(int(label), deque())
            if len(kept) >= self._most:
                self.remove(kept[0])
            row = self._room()
            self._matrix[row], self._owners[row] = vector, int(label)
            self._rows[key] = row
            kept.append(key)

    def remove(self, key: Hashable) -> None:
        """Forget an example; nothing happens when it is unknown."""
        row = self._rows.pop(key, None)
        if row is None:
            return
        self._keys[int(self._owners[row])].remove(key)
        self._owners[row] = _FREE
        self._free.append(row)

    def scores(self, vectors: Array, classes: int) -> Array:
        """Greatest cosine to an exemplar of each class, shape (texts, classes); none gives 0."""
        out = np.zeros((len(vectors), classes), np.float32)
        if not self._rows or not len(vectors):
            return out
        with one_thread():
            cosines = unit(vectors - self._centre) @ self._matrix[: self._used].T
        nearest_of_class(cosines, self._owners[: self._used], out)
        out[~vectors.any(axis=1)] = 0.0
        return out

    def nearest_others(self) -> Array:
        """Greatest cosine of each exemplar to another one, where its class has others.

        Shape (exemplars,), of at most 2,000: how near a usual ticket comes to what is known.
        """
        rows = [self._rows[key] for kept in self._keys.values() if len(kept) > 1 for key in kept]
        some = self._matrix[rows[:_COMPARED]]
        if not len(some):
            return np.zeros(0, np.float32)
        with one_thread():
            cosines = some @ some.T
        np.fill_diagonal(cosines, -1.0)
        nearest: Array = cosines.max(axis=1)
        return nearest

    def fork(self) -> "ExemplarMemory":
        """A memory of its own with the same exemplars."""
        twin = ExemplarMemory(self._centre)
        twin._most, twin._used = self._most, self._used
        twin._matrix, twin._owners = self._matrix.copy(), self._owners.copy()
        twin._rows, twin._free = dict(self._rows), list(self._free)
        twin._keys = {label: deque(keys) for label, keys in self._keys.items()}
        return twin

    def _room(self) -> int:
        """A free row, the table doubled where there is none."""
        if not self._free:
            size = len(self._matrix)
            self._matrix = np.concatenate([self._matrix, np.zeros_like(self._matrix)])
            self._owners = np.concatenate([self._owners, np.full(size, _FREE, np.int64)])
            self._free = list(range(2 * size - 1, size - 1, -1))
        row = self._free.pop()
        self._used = max(self._used, row + 1)
        return row


@kernel
def nearest_of_class(cosines: Array, owners: NDArray[np.int64], out: Array) -> None:
    """out[i, c] = greatest of cosines[i] whose owner is c; classes without any are left alone."""
    has = np.zeros(out.shape[1], np.bool_)
    for row in range(owners.size):
        if owners[row] >= 0:
            has[owners[row]] = True
    for i in range(cosines.shape[0]):
        for c in range(out.shape[1]):
            if has[c]:
                out[i, c] = -np.inf
        for row in range(owners.size):
            owner = owners[row]
            if owner >= 0 and cosines[i, row] > out[i, owner]:
                out[i, owner] = cosines[i, row]


def unit(vectors: Array) -> Array:
    """Rows scaled to unit length; rows of zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Any = vectors / np.maximum(length, 1e-6)
    return np.asarray(result, np.float32)
