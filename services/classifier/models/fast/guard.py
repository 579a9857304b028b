"""The guard: texts no fit ever learns, on which a refit must not be worse than what it replaces."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import TextClassifier

_SHARE: Final = 0.04
_MOST: Final = 400
# Below this the texts are worth more to the fit than to its judge.
_FROM: Final = 1_000


@dataclass(frozen=True, slots=True)
class Guard:
    """Held-out texts with labels; `rows` is where they stood among those drawn from."""

    # Half a point of accuracy: what new topics may cost the old ones.
    ALLOWED_LOSS: ClassVar[float] = 0.005

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def drawn(cls, texts: Sequence[str], labels: Sequence[str], seed: int) -> "Guard":
        """4 % of the texts, at most 400; none of fewer than a thousand."""
        if len(texts) < _FROM:
            return cls()
        order = np.random.default_rng(seed + 1).permutation(len(texts))
        rows = np.sort(order[: min(int(_SHARE * len(texts)), _MOST)])
        drawn = rows.tolist()
        return cls(tuple(texts[i] for i in drawn), tuple(labels[i] for i in drawn), rows)

    def accuracy(self, model: TextClassifier) -> float:
        """Share of the texts that `model` answers rightly; 0 where there are none."""
        if not self.texts:
            return 0.0
        answers = model.predict_proba(self.texts).argmax(axis=1)
        classes = model.classes
        return float(np.mean([classes[a] == y for a, y in zip(answers, self.labels, strict=True)]))
