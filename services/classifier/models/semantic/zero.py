"""Day zero: topics known by name and description alone."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.semantic.heads import CascadedHead


class ZeroShot:
    """A TextClassifier that needs no example: a head that was told names, and nothing else.

    It is what the semantic worker answers from as long as nobody corrected anything.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        descriptions: Mapping[str, str] | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        """Raises ValueError when fewer than two different names are given."""
        said = descriptions or {}
        self._head = CascadedHead(encoder=encoder)
        for name in dict.fromkeys(names):
            self._head.add_class(name, said.get(name, ""))
        if len(self.classes) < 2:
            raise ValueError(f"at least two classes are needed, got {len(self.classes)}")

    @property
    def classes(self) -> tuple[str, ...]:
        return self._head.classes

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Nothing is learned."""
        del texts, labels

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1; a text with nothing to encode is equally all."""
        return self._head.second_look(texts).probabilities

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): higher means less like any name."""
        return self._head.second_look(texts).novelty
