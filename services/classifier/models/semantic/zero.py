"""Day zero: topics known by name and description alone, matched by the encoder."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.blas import one_thread
from services.classifier.models.encoding.cleaning import CHARACTER_CAP
from services.classifier.models.encoding.encoder import Encoder, shared_encoder
from services.classifier.models.lexical.softmax import normalise
from services.classifier.models.semantic.experts import unit

Array = NDArray[np.float32]

# Turns cosines into logits: about what calibration gives on sets with labels.
_SHARPNESS: Final = 10.0
# So many texts outweigh the names as an estimate of where this desk's texts lie.
_PRIOR_TEXTS: Final = 16.0
# A name is no sentence; in these it is encoded like what customers write.
_SPOKEN_IN: Final = (
    "{}", "i have a question about {}", "{} problem", "how do i {}?", "my {}",
    "please help me with {}",
)  # fmt: skip
# Of the word-by-word match beside that of the whole text; flat between .2 and .5.
_WORD_SHARE: Final = 0.3
_WORD_CACHE: Final = 20_000
_WORD: Final = re.compile(r"\w+")


class ZeroShot:
    """A TextClassifier that needs no example: a text belongs to the topic with the nearest name.

    Two cosines are added: of the whole text with the name, and of each word of the name with the
    nearest word of the text (late interaction, Khattab and Zaharia 2020). Both are centred by what
    was seen so far, since the encoder puts everything one desk writes into a corner of its space.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        descriptions: Mapping[str, str] | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        """Raises ValueError when fewer than two different names are given."""
        self._classes = tuple(dict.fromkeys(names))
        if len(self._classes) < 2:
            raise ValueError(f"at least two classes are needed, got {len(self._classes)}")
        self._encoder = encoder or shared_encoder()
        said = descriptions or {}
        self._centre = np.zeros(self._encoder.dimension, np.float32)
        self._names = self._encoded_names([(spoken(c), said.get(c, "")) for c in self._classes])
        self._words = _NameWords([spoken(name) for name in self._classes], self._encoder)
        self._sum = np.zeros(self._encoder.dimension, np.float64)
        self._word_sum = np.zeros(len(self._classes), np.float64)
        self._seen = 0

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Nothing is learned from labels; the texts show where this desk's texts lie."""
        del labels
        self._similarities(texts)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1; a text with nothing to encode is equally all."""
        similarities = self._similarities(texts)
        result: Probabilities = normalise(similarities, len(self._classes), _SHARPNESS)
        return result

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): minus the similarity to the nearest name."""
        if not texts:
            return np.zeros(0, np.float32)
        nearest: NDArray[np.float32] = -self._similarities(texts).max(axis=1)
        return nearest

    def _encoded_names(self, names: Sequence[tuple[str, str]]) -> Array:
        total = np.zeros((len(names), self._encoder.dimension), np.float32)
        for sentence in _SPOKEN_IN:
            vectors = self._encoder.encode([sentence.format(name) for name, _ in names])
            if sentence == _SPOKEN_IN[0]:
                self._centre = vectors.mean(axis=0)
            total += unit(vectors - vectors.mean(axis=0))
        described = [i for i, (_, text) in enumerate(names) if text]
        if described:
            vectors = self._encoder.encode([names[i][1] for i in described])
            total[described] += len(_SPOKEN_IN) * unit(vectors - self._centre)
        return unit(total)

    def _similarities(self, texts: Sequence[str]) -> Array:
        vectors = self._encoder.encode(texts)
        present = vectors.any(axis=1)
        by_word = self._words.similarities(texts)
        self._sum += vectors[present].sum(axis=0, dtype=np.float64)
        self._word_sum += by_word[present].sum(axis=0, dtype=np.float64)
        self._seen += int(present.sum())
        share = self._seen / (self._seen + _PRIOR_TEXTS)
        seen = self._sum / max(self._seen, 1)
        centre = (share * seen + (1 - share) * self._centre).astype(np.float32)
        usual = (share * self._word_sum / max(self._seen, 1)).astype(np.float32)
        with one_thread():
            whole: Array = unit(vectors - centre) @ self._names.T
        similarities: Array = whole + np.float32(_WORD_SHARE) * (by_word - usual)
        similarities[~present] = 0.0
        return similarities


class _NameWords:
    """How near the words of a text come to those of each name, rare words counting more."""

    def __init__(self, names: Sequence[str], encoder: Encoder) -> None:
        self._encoder = encoder
        self._cache: dict[str, Array] = {}
        lists = [_WORD.findall(name.casefold()) or [name] for name in names]
        words = sorted({word for name in lists for word in name})
        vectors = encoder.encode_words(words)
        self._centre = vectors.mean(axis=0)
        self._vectors = unit(vectors - self._centre)
        spread = {word: sum(word in name for name in lists) for word in words}
        weights = np.zeros((len(names), len(words)), np.float32)
        for row, name in enumerate(lists):
            for word in name:
                weight = np.log((1 + len(names)) / (1 + spread[word])) + 1
                weights[row, words.index(word)] += weight
        self._weights = weights / weights.sum(axis=1, keepdims=True)

    def similarities(self, texts: Sequence[str]) -> Array:
        """Shape (texts, names)."""
        split = [_WORD.findall(text[:CHARACTER_CAP].casefold()) for text in texts]
        self._learn({word for words in split for word in words})
        nearest = np.zeros((len(texts), len(self._vectors)), np.float32)
        for row, words in enumerate(split):
            if words:
                nearest[row] = np.max([self._cache[word] for word in dict.fromkeys(words)], axis=0)
        with one_thread():
            result: Array = nearest @ self._weights.T
        return result

    def _learn(self, words: set[str]) -> None:
        if len(self._cache) + len(words) > _WORD_CACHE:
            self._cache.clear()
        new = sorted(words - self._cache.keys())
        if new:
            vectors = unit(self._encoder.encode_words(new) - self._centre)
            with one_thread():
                self._cache.update(zip(new, vectors @ self._vectors.T, strict=True))


def spoken(name: str) -> str:
    """A class name as one would say it: "card_not_working" and "cardNotWorking" are words."""
    characters = []
    for i, c in enumerate(name):
        if c.isupper() and i and name[i - 1].islower():
            characters.append(" ")
        characters.append(" " if c in "_-/.:" else c)
    return " ".join("".join(characters).split()).lower()
