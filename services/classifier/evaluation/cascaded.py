"""The semantic stage as `evaluate` judges it: the head and the choice of the semantic worker."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.domain.selection import LeastSure
from services.classifier.evaluation.folded import FoldedClassifier
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.semantic.heads import CascadedHead, SecondLook


class CascadedClassifier(FoldedClassifier):
    """A FoldedClassifier whose least sure `share` of tickets all experts answer together."""

    def __init__(
        self, *, share: float = 0.1, seed: int = 0, encoder: Encoder | None = None
    ) -> None:
        """share: 0..1 of the tickets; encoder: the default one unless given."""
        self._choice = LeastSure(share)
        self._asked = self._sent = 0
        super().__init__(seed=seed, encoder=encoder)

    @property
    def semantic_share(self) -> float:
        """Share of the tickets answered since `fit` that were encoded."""
        return self._sent / self._asked if self._asked else 0.0

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Train from scratch and begin a new log. ValueError with fewer than two classes."""
        super().fit(texts, labels)
        self._choice = LeastSure(self._choice.share)
        self._asked = self._sent = 0

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1."""
        probabilities = super().predict_proba(texts)
        unsure = self._choice.among(probabilities.max(axis=1))
        self._asked += len(texts)
        self._sent += len(unsure)
        if len(unsure):
            look = self._cascade().second_look([texts[i] for i in unsure.tolist()])
            probabilities[unsure] = look.probabilities
        return probabilities

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): standardised doubt of fast model, semantic head and nearest exemplar."""
        return self.second_look(texts).novelty

    def second_look(self, texts: Sequence[str]) -> SecondLook:
        """What all experts say of every text, with its vector."""
        return self._cascade().second_look(texts)

    def _head(self) -> CascadedHead:
        return CascadedHead(seed=self._seed, encoder=self._encoder)

    def _cascade(self) -> CascadedHead:
        topic = self._labeller.topic
        if not isinstance(topic, CascadedHead):
            raise TypeError("the fold lost the experts of its head")
        return topic
