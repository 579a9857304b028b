"""The guard: texts no fit ever learns, on which a refit must not be worse than what it replaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import comb
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import TextClassifier

_SHARE: Final = 0.04
_MOST: Final = 400
# Below this the texts are worth more to the fit than to its judge.
_FROM: Final = 1_000
# A loss that chance explains more often than this is not held against a refit.
_CHANCE: Final = 0.05
_Right = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Guard:
    """Held-out texts with labels, and which of them the trained model answered rightly.

    `rows` is where they stood among those drawn from.
    """

    # Half a point of accuracy: what new topics may cost the old ones.
    ALLOWED_LOSS: ClassVar[float] = 0.005

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    trained: _Right = field(default_factory=lambda: np.zeros(0, np.bool_))

    @classmethod
    def drawn(cls, texts: Sequence[str], labels: Sequence[str], seed: int) -> "Guard":
        """4 % of the texts, at most 400; none of fewer than a thousand."""
        if len(texts) < _FROM:
            return cls()
        order = np.random.default_rng(seed + 1).permutation(len(texts))
        rows = np.sort(order[: min(int(_SHARE * len(texts)), _MOST)])
        drawn = rows.tolist()
        return cls(tuple(texts[i] for i in drawn), tuple(labels[i] for i in drawn), rows)

    def judged(self, model: TextClassifier) -> "Guard":
        """The same texts with what this model, just trained, makes of them."""
        return replace(self, trained=self.right(model))

    def right(self, model: TextClassifier) -> _Right:
        """Which of the texts `model` answers by their label, shape (texts,)."""
        if not self.texts:
            return np.zeros(0, np.bool_)
        answers = model.predict_proba(self.texts).argmax(axis=1).tolist()
        classes = model.classes
        return np.asarray([classes[a] == y for a, y in zip(answers, self.labels, strict=True)])

    def refuses(self, before: _Right, after: _Right) -> bool:
        """Whether a refit must not replace what was right `before`.

        It must not be worse than the model as it was trained by more than the allowed loss, so that
        many small losses do not add up, unless it is no worse than what it replaces. On some
        hundred texts half a point is one or two of them: what a sign test explains by chance does
        not count.
        """
        if int(after.sum()) >= int(before.sum()):
            return False
        reference = self.trained if len(self.trained) == len(after) else before
        lost = int((reference & ~after).sum())
        gained = int((~reference & after).sum())
        if lost - gained <= self.ALLOWED_LOSS * len(after):
            return False
        return _chance(lost, gained) < _CHANCE

    def state(self) -> dict[str, Any]:
        """Plain values that `from_state` takes back."""
        return {
            "texts": list(self.texts),
            "labels": list(self.labels),
            "trained": self.trained.tolist(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Guard":
        """The guard that `state` described."""
        trained = np.asarray(state.get("trained", ()), np.bool_)
        return cls(tuple(state["texts"]), tuple(state["labels"]), trained=trained)


def _chance(lost: int, gained: int) -> float:
    """Probability of at least `lost` losses among lost + gained fair coins (the sign test)."""
    tosses = lost + gained
    return float(sum(comb(tosses, k) for k in range(lost, tosses + 1)) / 2**tosses)
