"""A tiny online classifier: each word votes for the labels it was seen with."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities


class WordVotes:
    """Learns at once, forgets never; counts how often it was refitted and what it was asked."""

    def __init__(self) -> None:
        self._votes: dict[str, Counter[str]] = defaultdict(Counter)
        self._classes: list[str] = []
        self.refits = 0
        self.fitted_rows: list[int] = []
        self.asked: list[str] = []

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self._classes)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        if len(set(labels)) < 2:
            raise ValueError("at least two classes are needed")
        self.fitted_rows.append(len(texts))
        self._votes.clear()
        self._classes.clear()
        for text, label in zip(texts, labels, strict=True):
            self.correct(text, label)

    def correct(self, text: str, label: str) -> None:
        if label not in self._classes:
            self._classes.append(label)
        for word in text.split():
            self._votes[word][label] += 1

    def refit(self) -> None:
        self.refits += 1

    def encode_pending(self, most: int = 1024) -> int:
        return 0

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        self.asked += texts
        scores = np.full((len(texts), len(self._classes)), 0.1, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                for label, votes in self._votes.get(word, Counter()).items():
                    scores[row, self._classes.index(label)] += votes
        answer: Probabilities = scores / scores.sum(axis=1, keepdims=True)
        return answer

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        known = [sum(word in self._votes for word in text.split()) for text in texts]
        return -np.asarray(known, dtype=np.float32)
