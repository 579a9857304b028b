"""The second semantic expert: the nearest exemplars of a class."""

from collections import deque
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import kernel
from services.classifier.models.products import PANEL, Codes, multiply, quantised
from services.classifier.models.semantic.experts import unit

Array = NDArray[np.float32]

# Exemplars kept of each class: the latest, because a correction is the best one.
_EXEMPLARS: Final = 30
# In all: 10 MB of vectors, however many classes there are.
_IN_ALL: Final = 20_000
_FREE: Final = -1
# Exemplars whose neighbours say how near exemplars usually are.
_COMPARED: Final = 2_000


class ExemplarMemory:
    """Up to 30 vectors of each class; a text's score for a class is its nearest one's cosine.

    An example is added, replaced or taken back by its key at a cost that does not depend on how
    many there are. Vectors are kept as int8: a cosine is right to about .001.
    """

    def __init__(self, centre: Array, classes: int = 1) -> None:
        """classes: about how many there will be; with very many each keeps fewer exemplars."""
        self._centre = centre
        self._most = max(1, min(_EXEMPLARS, _IN_ALL // max(classes, 1)))
        # An exemplar is a column of the matrix that texts are multiplied by.
        self._panels: Codes = np.zeros((2, len(centre), PANEL), np.int8)
        self._scales = np.zeros(2 * PANEL, np.float32)
        self._owners = np.full(2 * PANEL, _FREE, np.int64)
        self._places: dict[Hashable, int] = {}
        self._keys: dict[int, deque[Hashable]] = {}
        self._free = list(range(2 * PANEL - 1, -1, -1))
        self._used = 0  # panels from here on never held anything

    def __len__(self) -> int:
        return len(self._places)

    def add(self, keys: Sequence[Hashable], vectors: Array, labels: Sequence[int]) -> None:
        """Remember examples in order; vectors of nothing are passed over.

        A known key is moved to its new class; the oldest of a full class is forgotten.
        """
        there = np.asarray(vectors.any(axis=1))
        codes, scales = quantised(unit(vectors - self._centre))
        for row, (key, label) in enumerate(zip(keys, labels, strict=True)):
            self.remove(key)
            if not there[row] or not codes[row].any():
                continue
            kept = self._keys.setdefault(int(label), deque())
            if len(kept) >= self._most:
                self.remove(kept[0])
            place = self._room()
            self._panels[place // PANEL, :, place % PANEL] = codes[row]
            self._scales[place], self._owners[place] = scales[row], int(label)
            self._places[key] = place
            kept.append(key)

    def remove(self, key: Hashable) -> None:
        """Forget an example; nothing happens when it is unknown."""
        place = self._places.pop(key, None)
        if place is None:
            return
        self._keys[int(self._owners[place])].remove(key)
        self._owners[place] = _FREE
        self._free.append(place)

    def scores(self, vectors: Array, classes: int) -> Array:
        """Greatest cosine to an exemplar of each class, shape (texts, classes); none gives 0."""
        out = np.zeros((len(vectors), classes), np.float32)
        if not self._places or not len(vectors):
            return out
        cosines = self._cosines(unit(vectors - self._centre))
        nearest_of_class(cosines, self._owners[: cosines.shape[1]], out)
        out[~vectors.any(axis=1)] = 0.0
        return out

    def nearest_others(self) -> Array:
        """Greatest cosine of each exemplar to another one, where its class has others.

        Shape (exemplars,), of at most 2,000: how near a usual ticket comes to what is known.
        """
        several = (kept for kept in self._keys.values() if len(kept) > 1)
        places = np.array([self._places[key] for kept in several for key in kept][:_COMPARED])
        if not len(places):
            return np.zeros(0, np.float32)
        codes = self._panels[places // PANEL, :, places % PANEL]
        some = codes.astype(np.float32) * self._scales[places, None]
        cosines = self._cosines(some)[:, places]
        np.fill_diagonal(cosines, -1.0)
        nearest: Array = cosines.max(axis=1)
        return nearest

    def fork(self) -> "ExemplarMemory":
        """A memory of its own with the same exemplars."""
        twin = ExemplarMemory(self._centre)
        twin._most, twin._used = self._most, self._used
        twin._panels, twin._scales = self._panels.copy(), self._scales.copy()
        twin._owners = self._owners.copy()
        twin._places, twin._free = dict(self._places), list(self._free)
        twin._keys = {label: deque(keys) for label, keys in self._keys.items()}
        return twin

    def _cosines(self, units: Array) -> Array:
        """Cosines to every place that was ever used, shape (texts, places)."""
        panels = self._panels[: self._used]
        places = self._used * PANEL
        out = np.empty((len(units), places), np.float32)
        rows = np.arange(len(units), dtype=np.int32)[:, None]
        multiply(units, rows, panels, self._scales[:places], np.zeros(places, np.float32), out)
        return out

    def _room(self) -> int:
        """A free place, the table doubled where there is none."""
        if not self._free:
            size = len(self._owners)
            self._panels = np.concatenate([self._panels, np.zeros_like(self._panels)])
            self._scales = np.concatenate([self._scales, np.zeros_like(self._scales)])
            self._owners = np.concatenate([self._owners, np.full(size, _FREE, np.int64)])
            self._free = list(range(2 * size - 1, size - 1, -1))
        place = self._free.pop()
        self._used = max(self._used, place // PANEL + 1)
        return place


@kernel
def nearest_of_class(cosines: Array, owners: NDArray[np.int64], out: Array) -> None:
    """out[i, c] = greatest of cosines[i] whose owner is c; classes without any are left alone."""
    has = np.zeros(out.shape[1], np.bool_)
    for place in range(owners.size):
        if owners[place] >= 0:
            has[owners[place]] = True
    for i in range(cosines.shape[0]):
        for c in range(out.shape[1]):
            if has[c]:
                out[i, c] = -np.inf
        for place in range(owners.size):
            owner = owners[place]
            if owner >= 0 and cosines[i, place] > out[i, owner]:
                out[i, owner] = cosines[i, place]
