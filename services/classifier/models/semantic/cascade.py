"""The cascade: a fast classifier, and the encoder for the tickets it is least sure of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.calibration import HeldOut, expert_weights
from services.classifier.models.encoding.encoder import Encoder, shared_encoder
from services.classifier.models.fast.replay import balanced
from services.classifier.models.lexical.softmax import normalise
from services.classifier.models.semantic.experts import ExemplarMemory, SemanticHead

Array = NDArray[np.float32]

# Texts of each class, and in all, that the semantic head learns from: encoding costs a hundred
# times what the fast path does, and more examples of a class no longer move it.
_PER_CLASS: Final = 400
_IN_ALL: Final = 16_000
# Fast model, semantic head, exemplars (times the cosine), where no hold-out can tell.
_EXPECTED: Final = (0.6, 0.6, 4.0)
# Batches below this are judged by a fixed confidence, larger ones by rank, so that the share holds.
_RANKED: Final = 32


@dataclass(frozen=True, slots=True)
class _Spread:
    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> "_Spread":
        return cls(float(values.mean()), float(values.std() + 1e-6)) if len(values) else cls()

    def below(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = ((self.mean - values) / self.deviation).astype(np.float32)
        return result


class FastStage(Protocol):
    """What the cascade needs of the fast classifier below it."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def held_out(self) -> HeldOut: ...

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None: ...

    def logits(self, texts: Sequence[str]) -> Array: ...

    def correct(self, text: str, label: str) -> None: ...

    def refit(self) -> None: ...

    def encode_pending(self, most: int = 1024) -> int: ...


class SemanticCascade:
    """A TextClassifier over a fast one; the least sure `share` of each batch is encoded.

    Encoded texts are answered by the product of the fast model, a softmax head on encoder vectors
    and the nearest exemplars of each class, weighted on the fast model's hold-out.
    """

    def __init__(
        self, fast: FastStage, *, share: float = 0.1, encoder: Encoder | None = None
    ) -> None:
        """share: 0..1 of the texts of a batch; encoder: the default one unless given."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share must be between 0 and 1, got {share}")
        self._fast = fast
        self._encoder = encoder or shared_encoder()
        self.share = share
        self._head = SemanticHead()
        self._exemplars = ExemplarMemory(np.zeros(self._encoder.dimension, np.float32))
        self._weights: list[float] = list(_EXPECTED)
        self._sure = 1.0
        self._spreads = (_Spread(), _Spread(), _Spread())
        self._texts: list[str] = []
        self._labels: list[str] = []
        self._vectors = np.zeros((0, self._encoder.dimension), np.float16)
        self._asked = self._sent = 0

    @property
    def classes(self) -> tuple[str, ...]:
        return self._fast.classes

    @property
    def semantic_share(self) -> float:
        """Share of the texts answered since `fit` that were encoded."""
        return self._sent / self._asked if self._asked else 0.0

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch. Raises ValueError when fewer than two classes are given."""
        self._fast.fit(texts, labels)
        held = self._fast.held_out
        chosen = _thinned(labels, held.rows)
        vectors = self._encoder.encode([texts[i] for i in chosen])
        column = {name: i for i, name in enumerate(self.classes)}
        targets = np.fromiter((column[labels[i]] for i in chosen), np.int32, len(chosen))
        self._weights = list(_EXPECTED)
        if len(held.rows):
            self._calibrate(chosen, targets, vectors)
        self._head.fit(vectors, targets, len(self.classes))
        self._exemplars = ExemplarMemory(self._head.centre)
        self._exemplars.add(vectors, targets.tolist())
        self._texts = [texts[i] for i in chosen]
        self._labels = [labels[i] for i in chosen]
        self._vectors = vectors.astype(np.float16)
        self._asked = self._sent = 0

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1."""
        logits = self._fast.logits(texts)
        probabilities: Probabilities = normalise(logits, len(self.classes), 1.0)
        unsure = self._unsure(probabilities)
        self._asked += len(texts)
        self._sent += len(unsure)
        if len(unsure):
            vectors = self._encoder.encode([texts[i] for i in unsure])
            there = vectors.any(axis=1)
            fused = self._product(logits[unsure][there], vectors[there])
            probabilities[unsure[there]] = normalise(fused, len(self.classes), 1.0)
        return probabilities

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): standardised doubt of fast model, semantic head and nearest exemplar."""
        return self.novelty_of(self._fast.logits(texts), self._encoder.encode(texts))

    def novelty_of(self, logits: Array, vectors: Array) -> NDArray[np.float32]:
        """The same for texts already scored by the fast model and encoded."""
        if not len(logits):
            return np.zeros(0, np.float32)
        doubts = self._doubts(logits, vectors)
        total = sum(
            (spread.below(value) for spread, value in zip(self._spreads, doubts, strict=True)),
            np.zeros(len(logits), np.float32),
        )
        return np.asarray(total, np.float32)

    def correct(self, text: str, label: str) -> None:
        """Learn one correction now: a step of the fast model, and an exemplar."""
        self._fast.correct(text, label)
        vector = self._encoder.encode([text])
        self._exemplars.add(vector, [self.classes.index(label)])
        self._texts.append(text)
        self._labels.append(label)
        self._vectors = np.concatenate([self._vectors, vector.astype(np.float16)])

    def refit(self) -> None:
        """Learn from everything remembered again, small classes repeated."""
        self._fast.refit()
        column = {name: i for i, name in enumerate(self.classes)}
        targets = np.fromiter((column[y] for y in self._labels), np.int32, len(self._labels))
        importance = np.bincount(balanced(targets), minlength=len(targets)).astype(np.float32)
        vectors = self._vectors.astype(np.float32)
        self._head.fit(vectors, targets, len(self.classes), importance, again=True)

    def encode_pending(self, most: int = 1024) -> int:
        """Encode words the fast model met since; how many were added."""
        return self._fast.encode_pending(most)

    def _unsure(self, probabilities: Probabilities) -> NDArray[np.int64]:
        top = probabilities.max(axis=1)
        if len(top) < _RANKED:
            return np.flatnonzero(top < self._sure)
        return np.argsort(top, kind="stable")[: int(self.share * len(top))]

    def _product(self, logits: Array, vectors: Array) -> Array:
        experts = self._experts(logits, vectors)
        return np.asarray(
            sum((w * z for w, z in zip(self._weights, experts, strict=True)), np.float32(0)),
            np.float32,
        )

    def _experts(self, logits: Array, vectors: Array) -> list[Array]:
        semantic = self._head.logits(vectors)
        missing = logits.shape[1] - semantic.shape[1]
        if missing:  # classes named since the head was fitted: it has nothing to say about them
            floor = semantic.mean(axis=1, keepdims=True)
            semantic = np.concatenate([semantic, np.repeat(floor, missing, axis=1)], axis=1)
        return [logits, semantic, self._exemplars.scores(vectors, logits.shape[1])]

    def _doubts(self, logits: Array, vectors: Array) -> list[NDArray[np.float32]]:
        _, semantic, nearest = self._experts(logits, vectors)
        return [logits.max(axis=1), semantic.max(axis=1), nearest.max(axis=1)]

    def _calibrate(
        self, chosen: NDArray[np.int64], targets: NDArray[np.int32], vectors: Array
    ) -> None:
        """Expert weights, the confidence to ask below, and novelty scales, on the hold-out."""
        held = self._fast.held_out
        judged = np.isin(chosen, held.rows)
        place = np.searchsorted(held.rows, chosen[judged])
        self._head.fit(vectors[~judged], targets[~judged], len(self.classes))
        self._exemplars = ExemplarMemory(self._head.centre)
        self._exemplars.add(vectors[~judged], targets[~judged].tolist())
        logits = held.logits[place]
        experts = self._experts(logits, vectors[judged])
        self._weights = expert_weights(experts, targets[judged], _EXPECTED)
        top = normalise(logits, len(self.classes), 1.0).max(axis=1)
        self._sure = float(np.quantile(top, self.share))
        doubts = self._doubts(logits, vectors[judged])
        self._spreads = (_Spread.of(doubts[0]), _Spread.of(doubts[1]), _Spread.of(doubts[2]))


def _thinned(labels: Sequence[str], always: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows to encode: the hold-out, and of each class as many others as there is room for."""
    room = max(min(_PER_CLASS, _IN_ALL // len(set(labels))), 1)
    taken: dict[str, int] = {}
    kept = set(always.tolist()[:_IN_ALL])
    for row in np.random.default_rng(0).permutation(len(labels)).tolist():
        if row not in kept and taken.get(labels[row], 0) < room:
            taken[labels[row]] = taken.get(labels[row], 0) + 1
            kept.add(row)
    return np.array(sorted(kept), np.int64)
