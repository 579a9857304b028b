"""The hot path's classifier: hashed n-grams, and words the encoder has seen, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.calibration import expert_weights, holdout, log_loss
from services.classifier.models.encoder import Encoder
from services.classifier.models.linear import LinearHead
from services.classifier.models.replay import ReplayMemory, balanced
from services.classifier.models.softmax import normalise
from services.classifier.models.vocabulary import Features, Vocabulary
from services.classifier.models.wordrows import WordRows
from services.classifier.models.words import WordTable

Array = NDArray[np.float32]

_HOLDOUT_SHARE: Final = 0.1
_MOST_EPOCHS: Final = 16
# What the hold-out would choose on a set too small to have one.
_DEFAULT_EPOCHS: Final = 8
_SMALL: Final = 50
# 64 MiB of float32 weights: with many topics the rarest n-grams have to go.
_WEIGHT_BUDGET: Final = 1 << 24
_FEWEST_ROWS: Final = 1 << 10
# Word vectors of more texts than this no longer move the word rows, but fill the memory.
_WORD_TEXTS: Final = 16_000
# Weights of the two experts where no hold-out can tell.
_EXPECTED: Final = (1.0, 0.7)
_GUARD_SHARE, _GUARD_MOST, _GUARD_FROM = 0.04, 400, 1_000
_GUARD_LOSS: Final = 0.005
_CORRECTION_STEPS: Final = 8


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Texts the experts had not learned when they scored them: what stacking is judged on."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int32]
    logits: Array


@dataclass(frozen=True, slots=True)
class _Scale:
    """Share of the word rows relative to the n-grams, softmax scale, spread of the top logit."""

    share: float = 0.0
    factor: float = 1.0
    mean: float = 0.0
    deviation: float = 1.0


class FastClassifier:
    """A TextClassifier of some microseconds a text. Same calls, same answers, bit for bit.

    With an encoder, the words of the training texts are encoded once at `fit`; words first seen
    later are skipped, queued, and added by `encode_pending`.
    """

    def __init__(self, *, seed: int = 0, encoder: Encoder | None = None) -> None:
        self._seed = seed
        self._vocabulary = Vocabulary()
        self._head = LinearHead()
        self._table = WordTable(encoder) if encoder is not None else None
        self._words: WordRows | None = None
        self._scale = _Scale()
        self._epochs = _DEFAULT_EPOCHS
        self._memory = ReplayMemory(seed)
        self._guard: tuple[list[str], list[str]] = ([], [])
        self.held_out = HeldOut(
            np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, 0), np.float32)
        )
        self.refused_refits = 0

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self._head.classes)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch. Raises ValueError when fewer than two classes are given."""
        if len(texts) != len(labels):
            raise ValueError(f"{len(texts)} texts but {len(labels)} labels")
        classes = sorted(set(labels))
        if len(classes) < 2:
            raise ValueError(f"at least two classes are needed to learn, got {len(classes)}")
        targets = _columns(labels, classes)
        self._learn_vocabulary(texts, len(classes))
        features = self._vocabulary.features(texts).copied()
        vectors = self._learn_words(features, targets)
        held = holdout(labels, _HOLDOUT_SHARE, self._seed)
        self._scale, self._epochs = _Scale(1.0, 1.0), _DEFAULT_EPOCHS
        if held.sum() >= _SMALL:
            self._calibrate(texts, targets, held, classes, vectors)
        guard = self._set_guard(texts, labels)
        kept = np.flatnonzero(~guard)
        self._memory.clear()
        self._memory.remember([texts[i] for i in kept], [labels[i] for i in kept])
        self._head = self._trained(features, targets, kept, classes)
        if self._words is not None and vectors is not None:
            rows, known = vectors
            kept_too = ~guard[rows]
            self._words.fit(known[kept_too], targets[rows][kept_too], len(classes))

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1; a text of unknown features gets the prior."""
        logits = self._fused(self._vocabulary.features(texts))
        result: Probabilities = normalise(logits, len(self._head.classes), self._scale.factor)
        return result

    def logits(self, texts: Sequence[str]) -> Array:
        """Calibrated logits, shape (texts, classes): predict_proba is their softmax."""
        logits = self._fused(self._vocabulary.features(texts))
        return logits[:, : len(self.classes)] * np.float32(self._scale.factor)

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): minus the standardised greatest logit."""
        return self.standardised(self.logits(texts))

    def standardised(self, logits: Array) -> NDArray[np.float32]:
        """Novelty of texts whose `logits` are known; scales were fixed on the hold-out."""
        if not len(logits):
            return np.zeros(0, np.float32)
        z = (self._scale.mean - logits.max(axis=1)) / self._scale.deviation
        return z.astype(np.float32)

    def explain(self, text: str, label: str, most: int = 5) -> list[tuple[str, float]]:
        """Words of the text that speak most for `label`, with what they add to its logit."""
        column = self._head.classes.index(label)
        words = {w: 0.0 for w in _words_of(self._vocabulary.features([text]))}
        whole = float(self.logits([text])[0, column])
        folded = " ".join(words)
        for word in words:
            without = " ".join(w for w in folded.split() if w != word)
            words[word] = whole - float(self.logits([without])[0, column])
        return sorted(words.items(), key=lambda item: -item[1])[:most]

    def correct(self, text: str, label: str) -> None:
        """Learn one correction now; a label never seen becomes a class.

        Steps until the text is answered by its label, at most eight: a correction must be seen to
        work, one that contradicts many others must not undo them.
        """
        known = len(self._vocabulary)
        self._vocabulary.learn([text])
        self._vocabulary.weigh(known)
        self._head.lengthen(len(self._vocabulary))
        column = self._column(label)
        features = self._vocabulary.features([text]).copied()
        target = np.array([column], np.int32)
        order = np.zeros(1, np.int64)
        for _ in range(_CORRECTION_STEPS):
            self._head.step(features, target, order, 1.0)
            if int(self._fused(features)[0, : len(self.classes)].argmax()) == column:
                break
        self._memory.correct(text, label)

    def withdraw(self, text: str) -> bool:
        """Take back the correction of this text, from the next refit on."""
        return self._memory.withdraw(text)

    def refit(self) -> None:
        """Learn from the replay memory again, small classes repeated; kept only if no worse."""
        texts, labels = self._memory.examples()
        if len(set(labels)) < 2:
            return
        classes = self._head.classes + sorted(set(labels) - set(self._head.classes))
        targets = _columns(labels, classes)
        features = self._vocabulary.features(texts).copied()
        old_head, old_words, before = self._head, self._words, self._guarded_accuracy()
        order = balanced(targets)
        self._head = self._trained(features, targets, order, classes)
        if self._table is not None and old_words is not None:
            self._table.learn(features)
            self._words = old_words.refitted(features, targets, len(classes), _importance(order))
        if self._guarded_accuracy() < before - _GUARD_LOSS:
            self._head, self._words = old_head, old_words
            self.refused_refits += 1

    def encode_pending(self, most: int = 1024) -> int:
        """Encode words met since, at most so many, and add their rows; how many were added."""
        if self._table is None or self._words is None:
            return 0
        added = self._table.encode_pending(most)
        if added:
            self._words.fold()
        return added

    def _fused(self, features: Features) -> Array:
        logits = self._head.logits(features)
        if self._words is not None:
            self._words.add_scores(features, self._scale.share, logits)
        return logits

    def _column(self, label: str) -> int:
        known = len(self._head.classes)
        column = self._head.column(label)
        if self._words is not None and column == known:
            self._words.add_class()
        return column

    def _learn_vocabulary(self, texts: Sequence[str], classes: int) -> None:
        self._vocabulary.clear()
        self._vocabulary.learn(texts)
        most = max(_WEIGHT_BUDGET // max(classes, 16), _FEWEST_ROWS)
        # With few texts a feature seen once is most of what there is to learn from.
        self._vocabulary.prune(1 if len(texts) < 20 * classes else 2, most)
        self._vocabulary.weigh()

    def _learn_words(
        self, features: Features, targets: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], Array] | None:
        """Rows of the texts the word head learns from, and their vectors."""
        self._words = None
        if self._table is None:
            return None
        self._table.learn(features)
        self._words = WordRows(self._table)
        self._words.count(features)
        rows = np.random.default_rng(self._seed).permutation(len(targets))[:_WORD_TEXTS]
        rows.sort()
        return rows, self._words.vectors(features, rows)

    def _trained(
        self,
        features: Features,
        targets: NDArray[np.int32],
        order: NDArray[np.int64],
        classes: list[str],
    ) -> LinearHead:
        head = LinearHead()
        head.reset(classes, len(self._vocabulary))
        head.train(features, targets, order, self._epochs, np.random.default_rng(self._seed))
        return head

    def _calibrate(
        self,
        texts: Sequence[str],
        targets: NDArray[np.int32],
        held: NDArray[np.bool_],
        classes: list[str],
        vectors: tuple[NDArray[np.int64], Array] | None,
    ) -> None:
        """Epochs, expert weights and novelty scale that suit texts the experts were not shown."""
        judged = np.flatnonzero(held)
        truth = targets[judged]
        features = self._vocabulary.features([texts[i] for i in judged]).copied()
        learned = self._vocabulary.features(
            [text for text, out in zip(texts, held, strict=True) if not out]
        ).copied()
        head = LinearHead()
        head.reset(classes, len(self._vocabulary))
        best, chosen, logits = np.inf, _DEFAULT_EPOCHS, np.zeros((0, 0), np.float32)

        def judge(epoch: int) -> bool:
            nonlocal best, chosen, logits
            now = head.logits(features)
            (factor,) = expert_weights([now[:, : len(classes)]], truth, [1.0])
            loss = log_loss(factor * now[:, : len(classes)], truth)
            if loss < best:
                best, chosen, logits = loss, epoch + 1, now
            return epoch + 1 < chosen + 4

        order = np.arange(len(learned))
        rng = np.random.default_rng(self._seed)
        head.train(learned, targets[~held], order, _MOST_EPOCHS, rng, judge)
        self._epochs = chosen
        self._stack(logits, features, HeldOut(judged, truth, logits), vectors, targets, held)

    def _stack(
        self,
        lexical: Array,
        features: Features,
        found: HeldOut,
        vectors: tuple[NDArray[np.int64], Array] | None,
        targets: NDArray[np.int32],
        held: NDArray[np.bool_],
    ) -> None:
        classes = int(targets.max()) + 1
        experts = [lexical[:, :classes]]
        if self._words is not None and vectors is not None:
            rows, known = vectors
            shown = ~held[rows]
            self._words.fit(known[shown], targets[rows][shown], classes)
            scores = np.zeros_like(lexical)
            self._words.add_scores(features, 1.0, scores)
            experts.append(scores[:, :classes])
        weights = expert_weights(experts, found.labels, _EXPECTED[: len(experts)])
        factor = max(weights[0], 0.05)
        share = weights[1] / factor if len(weights) > 1 else 0.0
        fused = sum((w * z for w, z in zip(weights, experts, strict=True)), np.float32(0))
        logits: Array = np.asarray(fused, np.float32)
        peak = logits.max(axis=1)
        self._scale = _Scale(share, factor, float(peak.mean()), float(peak.std() + 1e-6))
        self.held_out = replace(found, logits=logits)

    def _set_guard(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.bool_]:
        """Texts no fit ever learns, on which refits are judged."""
        self._guard = ([], [])
        if len(texts) < _GUARD_FROM:
            return np.zeros(len(texts), np.bool_)
        rng = np.random.default_rng(self._seed + 1)
        drawn = rng.permutation(len(texts))[: min(int(_GUARD_SHARE * len(texts)), _GUARD_MOST)]
        out = np.zeros(len(texts), np.bool_)
        out[drawn] = True
        self._guard = ([texts[i] for i in drawn], [labels[i] for i in drawn])
        return out

    def _guarded_accuracy(self) -> float:
        texts, labels = self._guard
        if not texts:
            return 0.0
        answers = self.predict_proba(texts).argmax(axis=1)
        return float(np.mean([self.classes[a] == y for a, y in zip(answers, labels, strict=True)]))


def _columns(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.int32]:
    column = {name: i for i, name in enumerate(classes)}
    return np.fromiter((column[name] for name in labels), np.int32, len(labels))


def _importance(order: NDArray[np.int64]) -> Array:
    return np.bincount(order).astype(np.float32)


def _words_of(features: Features) -> list[str]:
    return [features.word(i) for i in range(len(features.words))]
