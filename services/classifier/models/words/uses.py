"""Which words each of many texts uses, gathered without holding the texts' other features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.lexical.packing import LEARNED_AT_ONCE, runs
from services.classifier.models.lexical.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class WordUses:
    """Word hashes of text i between starts[i] and starts[i + 1]; `spelled`: hash -> folded word."""

    words: NDArray[np.uint32]
    starts: NDArray[np.int64]
    spelled: dict[int, str]

    @classmethod
    def of(cls, vocabulary: Vocabulary, texts: Sequence[str]) -> "WordUses":
        """The words of `texts`, which are featurised a few at a time."""
        parts, counts = [np.zeros(0, np.uint32)], [np.zeros(1, np.int64)]
        spelled: dict[int, str] = {}
        for run in runs(texts, LEARNED_AT_ONCE):
            found = vocabulary.features(texts[run])
            parts.append(found.words.copy())
            counts.append(np.diff(found.word_starts))
            hashes, places = np.unique(found.words, return_index=True)
            for value, place in zip(hashes.tolist(), places.tolist(), strict=True):
                if value not in spelled:
                    spelled[value] = found.word(place)
        return cls(np.concatenate(parts), np.cumsum(np.concatenate(counts)), spelled)

    def __len__(self) -> int:
        return len(self.starts) - 1
