"""The hot path's classifier: hashed n-grams, and words the encoder has seen, in one pass."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.calibration import expert_weights, holdout, log_loss
from services.classifier.models.linear import LinearHead
from services.classifier.models.softmax import normalise
from services.classifier.models.vocabulary import Features, Vocabulary

Array = NDArray[np.float32]

_HOLDOUT_SHARE: Final = 0.1
_MOST_EPOCHS: Final = 16
# What the hold-out would choose on a set too small to have one.
_DEFAULT_EPOCHS: Final = 8
_SMALL: Final = 50
# 64 MiB of float32 weights: with many topics the rarest n-grams have to go.
_WEIGHT_BUDGET: Final = 1 << 24
_FEWEST_ROWS: Final = 1 << 10


class FastClassifier:
    """A TextClassifier of some microseconds a text. Same calls, same answers, bit for bit."""

    def __init__(self, *, seed: int = 0) -> None:
        self._seed = seed
        self._vocabulary = Vocabulary()
        self._head = LinearHead()
        self._weights: list[float] = [1.0]
        self._logit_mean, self._logit_scale = 0.0, 1.0

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self._head.classes)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch. Raises ValueError when fewer than two classes are given."""
        classes = sorted(set(labels))
        if len(texts) != len(labels):
            raise ValueError(f"{len(texts)} texts but {len(labels)} labels")
        if len(classes) < 2:
            raise ValueError(f"at least two classes are needed to learn, got {len(classes)}")
        column = {name: i for i, name in enumerate(classes)}
        targets = np.fromiter((column[name] for name in labels), np.int32, len(labels))
        held = holdout(labels, _HOLDOUT_SHARE, self._seed)
        self._learn_vocabulary(texts, len(classes))
        epochs = _DEFAULT_EPOCHS
        self._weights = [1.0]
        if held.sum() >= _SMALL:
            epochs = self._choose_epochs(texts, targets, held, classes)
        self._head.reset(classes, len(self._vocabulary))
        everything = self._vocabulary.features(texts).copied()
        self._head.train(everything, targets, epochs, np.random.default_rng(self._seed))

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1; a text of unknown features gets the prior."""
        features = self._vocabulary.features(texts)
        return self._probabilities(features)

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): minus the standardised greatest logit."""
        logits = self._head.logits(self._vocabulary.features(texts))[:, : len(self.classes)]
        peak = logits.max(axis=1) if len(texts) else np.zeros(0, np.float32)
        return ((self._logit_mean - peak) / self._logit_scale).astype(np.float32)

    def _probabilities(self, features: Features) -> Probabilities:
        logits = self._head.logits(features)
        result: Probabilities = normalise(logits, len(self._head.classes), self._weights[0])
        return result

    def _learn_vocabulary(self, texts: Sequence[str], classes: int) -> None:
        self._vocabulary.clear()
        self._vocabulary.learn(texts)
        most = max(_WEIGHT_BUDGET // max(classes, 16), _FEWEST_ROWS)
        # With few texts a feature seen once is most of what there is to learn from.
        self._vocabulary.prune(1 if len(texts) < 20 * classes else 2, most)
        self._vocabulary.weigh()

    def _choose_epochs(
        self,
        texts: Sequence[str],
        targets: NDArray[np.int32],
        held: NDArray[np.bool_],
        classes: list[str],
    ) -> int:
        """Epochs and temperature that suit texts the head was not shown."""
        train = [text for text, out in zip(texts, held, strict=True) if not out]
        test = [text for text, out in zip(texts, held, strict=True) if out]
        learned = self._vocabulary.features(train).copied()
        judged = self._vocabulary.features(test).copied()
        head = LinearHead()
        head.reset(classes, len(self._vocabulary))
        truth = targets[held]
        best, chosen = np.inf, _DEFAULT_EPOCHS

        def judge(epoch: int) -> bool:
            nonlocal best, chosen
            logits = head.logits(judged)[:, : len(classes)]
            weight = expert_weights([logits], truth, [1.0])
            loss = log_loss(weight[0] * logits, truth)
            if loss < best:
                best, chosen, self._weights = loss, epoch + 1, weight
                peak = logits.max(axis=1)
                self._logit_mean, self._logit_scale = float(peak.mean()), float(peak.std() + 1e-6)
            return epoch + 1 < chosen + 4

        head.train(learned, targets[~held], _MOST_EPOCHS, np.random.default_rng(self._seed), judge)
        return chosen
