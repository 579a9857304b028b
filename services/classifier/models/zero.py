"""Day zero: topics known by name and description alone, matched by the encoder."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.blas import one_thread
from services.classifier.models.encoder import Encoder, shared_encoder
from services.classifier.models.softmax import normalise

Array = NDArray[np.float32]

# Turns cosines into logits: about what calibration gives on sets with labels.
_SHARPNESS: Final = 12.0
# So many texts outweigh the names as an estimate of where this desk's texts lie.
_PRIOR_TEXTS: Final = 16.0


class ZeroShot:
    """A TextClassifier that needs no example: a text belongs to the topic with the nearest name.

    Vectors are centred, texts by the mean of the texts seen so far: the encoder puts everything one
    desk writes into a corner of its space, where cosines say little.
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
        raw = self._encoder.encode(
            [
                f"{spoken(name)}. {said[name]}" if name in said else spoken(name)
                for name in self._classes
            ]
        )
        self._centre = raw.mean(axis=0)
        self._names = _unit(raw - self._centre)
        self._sum = np.zeros(self._encoder.dimension, np.float64)
        self._seen = 0

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Nothing is learned from labels; the texts show where this desk's texts lie."""
        del labels
        self._observe(self._encoder.encode(texts))

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1; a text with nothing to encode is equally all."""
        result: Probabilities = normalise(self._cosines(texts), len(self._classes), _SHARPNESS)
        return result

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): minus the cosine to the nearest name."""
        if not texts:
            return np.zeros(0, np.float32)
        nearest: NDArray[np.float32] = -self._cosines(texts).max(axis=1)
        return nearest

    def _cosines(self, texts: Sequence[str]) -> Array:
        vectors = self._encoder.encode(texts)
        self._observe(vectors)
        share = self._seen / (self._seen + _PRIOR_TEXTS)
        seen = self._sum / max(self._seen, 1)
        centre = (share * seen + (1 - share) * self._centre).astype(np.float32)
        with one_thread():
            cosines: Array = _unit(vectors - centre) @ self._names.T
        cosines[~vectors.any(axis=1)] = 0.0
        return cosines

    def _observe(self, vectors: Array) -> None:
        present = vectors.any(axis=1)
        self._sum += vectors[present].sum(axis=0, dtype=np.float64)
        self._seen += int(present.sum())


def spoken(name: str) -> str:
    """A class name as one would say it: "card_not_working" and "cardNotWorking" are words."""
    words = []
    for i, c in enumerate(name):
        if c.isupper() and i and name[i - 1].islower():
            words.append(" ")
        words.append(" " if c in "_-/.:" else c)
    return " ".join("".join(words).split()).lower()


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)
