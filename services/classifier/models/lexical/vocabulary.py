"""The vocabulary: hashed features seen in training, their rows and weights, and texts as rows."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.lexical.featurising import featurise, insert_all, place_all
from services.classifier.models.lexical.ngrams import WORD_CAP, capacity
from services.classifier.models.lexical.packing import pack

_SMALLEST_TABLE: Final = 1 << 14
_LEARN_CHUNK: Final = 64


@dataclass(frozen=True, slots=True)
class Features:
    """Texts as sparse rows: of text i, `rows` and `values` between starts[i] and starts[i + 1].

    Arrays are views of a per-thread buffer, valid until this thread's next call of
    `Vocabulary.features`; use `copied` to keep them. `coverage` is the known share of each text's
    features, `spans` where in `data` each of `words` stands.
    """

    rows: NDArray[np.int32]
    values: NDArray[np.float32]
    starts: NDArray[np.int64]
    words: NDArray[np.uint32]
    word_starts: NDArray[np.int64]
    spans: NDArray[np.int32]
    coverage: NDArray[np.float32]
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def copied(self) -> "Features":
        """The same rows in arrays of their own."""
        return Features(
            self.rows.copy(), self.values.copy(), self.starts.copy(), self.words.copy(),
            self.word_starts.copy(), self.spans.copy(), self.coverage.copy(), self.data,
        )  # fmt: skip

    def word(self, index: int) -> str:
        """The folded word at `index` of `words`."""
        first, behind = self.spans[2 * index], self.spans[2 * index + 1]
        return self.data[first:behind].tobytes().decode("utf-8")


class _Buffers(threading.local):
    """Scratch of one thread; grows, never shrinks below the last batch's need."""

    def __init__(self) -> None:
        self.size = 0
        self.texts = 0
        self.known = 0
        self.points = np.empty(WORD_CAP + 2, np.int32)

    def __reduce__(self) -> tuple[type["_Buffers"], tuple[()]]:
        return _Buffers, ()  # scratch is worth nothing to a copy

    def fit(self, size: int, texts: int, known: int) -> None:
        if size > self.size:
            self.size = size + size // 2
            room = capacity(self.size)
            self.rows = np.empty(room, np.int32)
            self.values = np.empty(room, np.float32)
            self.hashes = np.empty(room, np.uint32)
            self.words = np.empty(self.size // 2 + 2, np.uint32)
            self.spans = np.empty(self.size + 4, np.int32)
        if texts > self.texts:
            self.texts = texts + texts // 2
            self.starts = np.zeros(self.texts + 1, np.int64)
            self.word_starts = np.zeros(self.texts + 1, np.int64)
            self.coverage = np.zeros(self.texts, np.float32)
        if known > self.known:
            self.known = known
            self.places = np.zeros(known, np.int32)


class Vocabulary:
    """Feature hash -> row, found by open addressing; rows are numbered as they are first seen.

    Unlike plain feature hashing nothing collides but full 32-bit hashes, unknown features cost one
    look and no memory, and a row can carry its inverse document frequency.
    """

    def __init__(self) -> None:
        self._buffers = _Buffers()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._slots = np.zeros(_SMALLEST_TABLE, np.uint64)
        self._frequency = np.zeros(_SMALLEST_TABLE // 2, np.int32)
        self._idf = np.zeros(_SMALLEST_TABLE // 2, np.float32)
        self._size = 0
        self._documents = 0

    def __len__(self) -> int:
        return self._size

    def learn(self, texts: Sequence[str]) -> None:
        """Count the features of `texts`, giving rows to new ones; weights change at `weigh`."""
        for first in range(0, len(texts), _LEARN_CHUNK):
            chunk = texts[first : first + _LEARN_CHUNK]
            data = pack(chunk)
            self._reserve(4 * len(data) + 16)
            buffers = self._fitted(data, len(chunk))
            self._size = insert_all(
                data, len(chunk), self._slots, self._frequency, self._size,
                buffers.places, buffers.rows, buffers.hashes, buffers.words, buffers.spans,
                buffers.points,
            )  # fmt: skip
            self._documents += len(chunk)

    def prune(self, fewest: int, most: int) -> None:
        """Keep features seen in at least `fewest` documents, the `most` frequent of them."""
        frequency = self._frequency[: self._size]
        keep = np.flatnonzero(frequency >= fewest)
        if len(keep) > most:
            order = np.argsort(-frequency[keep], kind="stable")[:most]
            keep = np.sort(keep[order])
        hashes = self.hashes()[keep]
        frequency = frequency[keep]
        documents = self._documents
        self.restore(hashes, frequency, documents)

    def shrink(self, most: int) -> NDArray[np.int64]:
        """Keep the `most` frequent rows, of equal ones the newest; which rows were kept."""
        frequency, idf = self.frequencies(), self.idf()
        newest_first = np.argsort(-frequency[::-1], kind="stable")[:most]
        keep = np.sort(len(frequency) - 1 - newest_first)
        self.restore(self.hashes()[keep], frequency[keep], self._documents, idf[keep])
        return keep

    def fork(self) -> "Vocabulary":
        """A vocabulary of its own with the same rows."""
        twin = Vocabulary()
        twin._slots, twin._frequency = self._slots.copy(), self._frequency.copy()
        twin._idf = self._idf.copy()
        twin._size, twin._documents = self._size, self._documents
        return twin

    def weigh(self, since: int = 0) -> None:
        """Set the inverse document frequency of rows from `since` on (smoothed, plus one)."""
        frequency = self._frequency[since : self._size]
        idf = np.log((1 + self._documents) / (1.0 + frequency)) + 1
        self._idf[since : self._size] = idf.astype(np.float32)

    def features(self, texts: Sequence[str]) -> Features:
        """`texts` as weighted rows: (1 + log tf) x idf, words and characters each of unit norm."""
        data = pack(texts)
        buffers = self._fitted(data, len(texts))
        count, words = featurise(
            data, len(texts), self._slots, self._idf, buffers.places, buffers.rows,
            buffers.values, buffers.starts, buffers.words, buffers.word_starts, buffers.spans,
            buffers.coverage, buffers.hashes, buffers.points,
        )  # fmt: skip
        n = len(texts) + 1
        return Features(
            buffers.rows[:count], buffers.values[:count], buffers.starts[:n],
            buffers.words[:words], buffers.word_starts[:n], buffers.spans[: 2 * words],
            buffers.coverage[: len(texts)], data,
        )  # fmt: skip

    def hashes(self) -> NDArray[np.uint32]:
        """The feature hash of every row."""
        used = self._slots[self._slots != 0]
        hashes = np.empty(self._size, np.uint32)
        hashes[(used & np.uint64(0xFFFFFFFF)).astype(np.int64) - 1] = used >> np.uint64(32)
        return hashes

    def frequencies(self) -> NDArray[np.int32]:
        """In how many learned documents each row was seen."""
        return self._frequency[: self._size].copy()

    def idf(self) -> NDArray[np.float32]:
        """The inverse document frequency of every row, as last weighed."""
        return self._idf[: self._size].copy()

    @property
    def documents(self) -> int:
        """How many documents were learned."""
        return self._documents

    def restore(
        self,
        hashes: NDArray[np.uint32],
        frequencies: NDArray[np.int32],
        documents: int,
        idf: NDArray[np.float32] | None = None,
    ) -> None:
        """Take the rows of a saved vocabulary; row i is hashes[i]. No `idf`: `weigh` follows."""
        self.clear()
        self._documents = documents
        self._reserve(len(hashes))
        place_all(self._slots, hashes)
        self._size = len(hashes)
        self._frequency[: self._size] = frequencies
        if idf is not None:
            self._idf[: self._size] = idf

    def _fitted(self, data: NDArray[np.uint8], texts: int) -> _Buffers:
        self._buffers.fit(len(data), texts, len(self._idf))
        return self._buffers

    def _reserve(self, more: int) -> None:
        """Room for `more` new rows at a load of at most one half."""
        needed = self._size + more
        if needed <= len(self._idf):
            return
        room = 1 << int(needed - 1).bit_length()
        hashes = self.hashes()
        self._slots = np.zeros(2 * room, np.uint64)
        place_all(self._slots, hashes)
        self._frequency = np.concatenate(
            [self._frequency[: self._size], np.zeros(room - self._size, np.int32)]
        )
        self._idf = np.concatenate(
            [self._idf[: self._size], np.zeros(room - self._size, np.float32)]
        )
