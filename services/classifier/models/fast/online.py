"""The hot path's learner as a river classifier, for river's metrics, detectors and checks."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from river import base

from services.classifier.models.lexical.linear import LinearHead
from services.classifier.models.lexical.softmax import normalise
from services.classifier.models.lexical.vocabulary import Vocabulary

Input = str | Mapping[base.typing.FeatureName, Any]

_WEIGHT_BUDGET: Final = 1 << 24
_ROWS_PER_LANE: Final = 16


class HashedTextClassifier(base.MiniBatchClassifier):  # type: ignore[misc]  # river is untyped
    """Softmax over hashed words and character n-grams, one AdaGrad step per example.

    Examples are texts, or mappings: of those the value under `on` is the text or, where there is no
    such key, all names and values are, in sorted order. Once the weights reach 64 MiB, features
    never seen before are no longer taken in.

    Parameters
    ----------
    on
        The feature that holds the text.
    rate
        Size of a step; 8 learns from single examples, 2 suits many passes.

    Examples
    --------
    >>> model = HashedTextClassifier()
    >>> model.learn_one("the printer is on fire", "hardware")
    >>> model.learn_one("reset my password", "access")
    >>> model.predict_one("my password is lost")
    'access'

    """

    def __init__(self, on: str = "text", rate: float = 8.0) -> None:
        self.on = on
        self.rate = rate
        self._vocabulary = Vocabulary()
        self._head = LinearHead()
        self._labels: list[base.typing.ClfTarget] = []

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: Input, y: base.typing.ClfTarget, **kwargs: Any) -> None:
        """Take one AdaGrad step on an example; a label never seen becomes a class."""
        del kwargs
        text = self._text(x)
        known = len(self._vocabulary)
        if known * _ROWS_PER_LANE * -(-max(len(self._labels), 1) // 16) < _WEIGHT_BUDGET:
            self._vocabulary.learn([text])
            self._vocabulary.weigh(known)
            self._head.lengthen(len(self._vocabulary))
        if y not in self._labels:
            self._labels.append(y)
        column = self._head.column(str(self._labels.index(y)))
        target = np.array([column], np.int32)
        features = self._vocabulary.features([text])
        self._head.step(features, target, np.zeros(1, np.int64), self.rate)

    def predict_proba_one(self, x: Input, **kwargs: Any) -> dict[base.typing.ClfTarget, float]:
        """Probability of each class seen so far; empty before the first example."""
        del kwargs
        if not self._labels:
            return {}
        row = self._probabilities([self._text(x)])[0]
        return dict(zip(self._labels, row.tolist(), strict=True))

    def learn_many(self, X: pd.DataFrame, y: pd.Series) -> None:  # noqa: N803 - river's name
        """The same as `learn_one` of every row in order."""
        for x, label in zip(X.to_dict(orient="records"), y.tolist(), strict=True):
            self.learn_one(x, label)

    def predict_proba_many(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803 - river's name
        """Probabilities in one column per class, rows as in X."""
        if not self._labels:
            return pd.DataFrame(index=X.index)
        texts = [self._text(x) for x in X.to_dict(orient="records")]
        return pd.DataFrame(self._probabilities(texts), index=X.index, columns=self._labels)

    def _probabilities(self, texts: list[str]) -> NDArray[np.float64]:
        logits = self._head.logits(self._vocabulary.features(texts))
        shares = normalise(logits, len(self._labels), 1.0).astype(np.float64)
        result: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return result

    def _text(self, x: Input) -> str:
        if isinstance(x, str):
            return x
        if self.on in x:
            return str(x[self.on])
        return " ".join(f"{name}={x[name]}" for name in sorted(x, key=str))
