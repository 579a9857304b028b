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
from services.classifier.models.words.uses import WordUses

Array = NDArray[np.float32]

_STRENGTH: Final = 5.0
# Of the 1,024 directions of the words' vectors, those in which texts differ: on held-out tickets as
# accurate as all of them, at half the time and a third of the memory.
_DIRECTIONS: Final = 384
# New words of a batch that are noticed at once; the rest will come again or do not matter.
_NOTICED: Final = 256
# 48 MiB of float32: with many topics the rarest words have to go.
_ROW_BUDGET: Final = 12 << 20


@dataclass(frozen=True, slots=True)
class _Folded:
    """What scoring reads, swapped as one: index, weights and rows agree with each other.

    low: the bias of every class that the head was not fitted for.
    """

    slots: NDArray[np.uint64]
    idf: Array
    rows: Array
    bias: Array
    low: float = 0.0


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the head sees of texts: the sum of their words' vectors, made when it is looked at."""

    uses: WordUses
    texts: NDArray[np.int64]
    slots: NDArray[np.uint64]
    idf: Array
    vectors: NDArray[np.int8]
    scales: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.texts), self.vectors.shape[1]

    def __getitem__(self, rows: slice) -> Array:
        texts = self.texts[rows]
        out = np.empty((len(texts), self.vectors.shape[1]), np.float32)
        sum_words(
            self.uses.words, self.uses.starts, texts, self.slots, self.idf, self.vectors,
            self.scales, out,
        )  # fmt: skip
        return out


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

    def count(self, uses: WordUses) -> None:
        """Learn in how many of these texts each word occurs."""
        texts = np.repeat(np.arange(len(uses)), np.diff(uses.starts))
        pairs = np.unique(texts << 32 | uses.words.astype(np.int64))
        words, counts = np.unique(pairs & 0xFFFFFFFF, return_counts=True)
        self._frequency = dict(zip(words.tolist(), counts.tolist(), strict=True))
        self._documents = len(uses)

    def fork(self) -> "WordRows":
        """Rows of their own; what is never changed in place is shared."""
        twin = WordRows(self._table)
        twin._frequency, twin._documents = self._frequency, self._documents
        twin.head, twin._folded = self.head, self._folded
        return twin

    def fit(
        self,
        uses: WordUses,
        texts: NDArray[np.int64],
        labels: NDArray[np.int32],
        classes: int,
        importance: Array | None = None,
    ) -> None:
        """Fit the head on some of the texts (indices, with their labels) and fold it.

        It starts from the head there is, if there is one.
        """
        table = self._table
        sums = _Sums(uses, texts, table.slots, self._idf(table.hashes), table.vectors, table.scales)
        start = self.head if len(self.head.bias) else None
        self.head = fit_logistic(
            sums, labels, classes, strength=_STRENGTH, importance=importance, start=start,
            directions=_DIRECTIONS,
        )  # fmt: skip
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
        low = float(self.head.bias.min()) if classes else 0.0
        bias = np.full(stride, low, np.float32)
        bias[:classes] = self.head.bias
        with one_thread():
            for at in range(0, count, 4096):
                part = slice(at, min(at + 4096, count))
                block = table.vectors[part].astype(np.float32) @ self.head.weights
                rows[part, :classes] = block * table.scales[part, None]
        self._folded = _Folded(slots, self._idf(hashes), rows, bias, low)

    def add_scores(
        self,
        features: Features,
        classes: int,
        share: float,
        logits: Array,
        notice: bool = False,
    ) -> None:
        """Add share x score to the first `classes` columns of `logits`, in place.

        Words without a row are skipped and, where `notice` says so, noticed. A class named since
        the head was fitted has the lowest bias and nothing else until it is fitted again.
        """
        folded = self._folded
        if folded.rows.shape[1] > logits.shape[1]:
            raise ValueError("the word rows know more classes than the logits have columns")
        unknown = np.empty(_NOTICED if notice else 0, np.int64)
        missing = score_words(
            features.words, features.word_starts, folded.slots, folded.idf, folded.rows,
            folded.bias, classes, folded.low, share, logits, unknown,
        )  # fmt: skip
        if missing:
            self._table.notice(
                (int(features.words[i]), features.word(i)) for i in unknown[:missing].tolist()
            )

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
