"""Word rows: the word table's logits under one head, folded so that scoring adds a row a word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.blas import one_thread
from services.classifier.models.lexical.featurising import place_all
from services.classifier.models.lexical.vocabulary import Features
from services.classifier.models.logistic import LogisticHead, fit_logistic
from services.classifier.models.words.sums import score_words, sum_words
from services.classifier.models.words.table import WordTable

Array = NDArray[np.float32]

_STRENGTH: Final = 5.0
# New words of a batch that are queued at once; the rest will come again or do not matter.
_NOTICED: Final = 256
# 48 MiB of float32: with many topics the rarest words have to go.
_ROW_BUDGET: Final = 12 << 20


@dataclass(frozen=True, slots=True)
class _Folded:
    """What scoring reads, swapped as one: index, weights and rows agree with each other."""

    slots: NDArray[np.uint64]
    idf: Array
    rows: Array
    bias: Array


class WordRows:
    """score(text) = bias + sum of idf x row / sqrt(sum of idf^2) over its known words.

    With that norm, instead of the length of the summed vector, the head can be applied to each word
    beforehand: a word costs `classes` floats and one addition, whatever the encoder's dimension.
    """

    def __init__(self, table: WordTable) -> None:
        self._table = table
        self._frequency: dict[int, int] = {}
        self._documents = 0
        self.head = LogisticHead(
            np.zeros((len(table.centre), 0), np.float32), np.zeros(0, np.float32)
        )
        self._folded = _Folded(
            table.slots, np.zeros(0, np.float32), np.zeros((0, 16), np.float32),
            np.zeros(16, np.float32),
        )  # fmt: skip

    def count(self, features: Features) -> None:
        """Learn in how many of these texts each word occurs."""
        texts = np.repeat(np.arange(len(features)), np.diff(features.word_starts))
        pairs = np.unique(texts << 32 | features.words.astype(np.int64))
        words, counts = np.unique(pairs & 0xFFFFFFFF, return_counts=True)
        self._frequency = dict(zip(words.tolist(), counts.tolist(), strict=True))
        self._documents = len(features)

    def vectors(self, features: Features, texts: NDArray[np.int64]) -> Array:
        """What the head sees of some texts (indices), shape (texts, dimension)."""
        table = self._table
        idf = self._idf(table.hashes)
        out = np.empty((len(texts), len(table.centre)), np.float32)
        sum_words(
            features.words, features.word_starts, texts, table.slots, idf, table.vectors,
            table.scales, out,
        )  # fmt: skip
        return out

    def refitted(
        self, features: Features, labels: NDArray[np.int32], classes: int, importance: Array
    ) -> "WordRows":
        """Rows over the same table whose head has learned these texts, from where this one is."""
        twin = WordRows(self._table)
        twin._frequency, twin._documents = self._frequency, self._documents
        vectors = self.vectors(features, np.arange(len(features)))
        twin.fit(vectors, labels, classes, importance, self.head)
        return twin

    def fit(
        self,
        vectors: Array,
        labels: NDArray[np.int32],
        classes: int,
        importance: Array | None = None,
        start: LogisticHead | None = None,
    ) -> None:
        """Fit the head on rows of `vectors` and fold it."""
        self.head = fit_logistic(
            vectors, labels, classes, strength=_STRENGTH, importance=importance, start=start
        )
        self.fold()

    def fold(self) -> None:
        """Rows of every word in the table under the head; some milliseconds for 10,000 words."""
        table = self._table
        classes = len(self.head.bias)
        stride = -(-max(classes, 1) // 16) * 16
        slots, hashes = table.slots, table.hashes
        if len(hashes) > _ROW_BUDGET // stride:
            hashes = hashes[: _ROW_BUDGET // stride]
            slots = np.zeros_like(slots)
            place_all(slots, hashes)
        count = len(hashes)
        rows = np.zeros((count, stride), np.float32)
        bias = np.zeros(rows.shape[1], np.float32)
        bias[:classes] = self.head.bias
        with one_thread():
            for at in range(0, count, 4096):
                part = slice(at, min(at + 4096, count))
                block = table.vectors[part].astype(np.float32) @ self.head.weights
                rows[part, :classes] = block * table.scales[part, None]
        self._folded = _Folded(slots, self._idf(hashes), rows, bias)

    def add_scores(self, features: Features, share: float, logits: Array) -> None:
        """Add share x score to `logits`, in place; words without a row are skipped and queued."""
        folded = self._folded
        if folded.rows.shape[1] > logits.shape[1]:
            raise ValueError("the word rows know more classes than the logits have columns")
        unknown = np.empty(_NOTICED, np.int64)
        missing = score_words(
            features.words, features.word_starts, folded.slots, folded.idf, folded.rows,
            folded.bias, share, logits, unknown,
        )  # fmt: skip
        if missing:
            self._table.queue(
                (int(features.words[i]), features.word(i)) for i in unknown[:missing].tolist()
            )

    def add_class(self, weights: Array | None = None, bias: float | None = None) -> None:
        """One more column: zero weights and the lowest bias until the head is fitted again."""
        old = self.head
        column = np.zeros(len(self._table.centre), np.float32) if weights is None else weights
        low = float(old.bias.min()) if len(old.bias) else 0.0
        self.head = LogisticHead(
            np.column_stack([old.weights, column]).astype(np.float32),
            np.append(old.bias, low if bias is None else bias).astype(np.float32),
        )
        self.fold()

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays that `restore` takes back."""
        return {
            "weights": self.head.weights,
            "bias": self.head.bias,
            "words": np.fromiter(self._frequency, np.uint32, len(self._frequency)),
            "counts": np.fromiter(self._frequency.values(), np.int64, len(self._frequency)),
            "documents": np.array([self._documents]),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take a saved head; the table must have been restored before."""
        self.head = LogisticHead(
            np.asarray(state["weights"], np.float32), np.asarray(state["bias"], np.float32)
        )
        self._frequency = dict(zip(state["words"].tolist(), state["counts"].tolist(), strict=True))
        self._documents = int(state["documents"][0])
        self.fold()

    def _idf(self, hashes: Sequence[int] | NDArray[np.uint32]) -> Array:
        values = np.asarray(hashes).tolist()
        seen = np.fromiter((self._frequency.get(v, 0) for v in values), np.float64, len(values))
        idf: Array = (np.log((1 + self._documents) / (1 + seen)) + 1).astype(np.float32)
        return idf
