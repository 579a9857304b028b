"""Why a text got its label: the words whose absence would lower that label's logit most."""

import re
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

_WORD: Final = re.compile(r"\w+")
# Of a longer text the first words are tried: each costs one prediction.
_MOST_WORDS: Final = 64
_MOST_PLACES: Final = 256


class _Scorer(Protocol):
    @property
    def classes(self) -> tuple[str, ...]: ...

    def logits(self, texts: list[str]) -> NDArray[np.float32]: ...


def top_words(model: _Scorer, text: str, label: str, most: int = 5) -> list[tuple[str, float]]:
    """Words of the text with what they add to the logit of `label`, greatest first.

    Raises ValueError when `label` is no class of the model.
    """
    column = model.classes.index(label)
    places = [match.casefold() for match in _WORD.findall(text)[:_MOST_PLACES]]
    words = list(dict.fromkeys(places))[:_MOST_WORDS]
    without = [" ".join(other for other in places if other != word) for word in words]
    scores = model.logits([" ".join(places), *without])[:, column]
    told = [(word, float(scores[0] - s)) for word, s in zip(words, scores[1:], strict=True)]
    return sorted((pair for pair in told if pair[1] > 0), key=lambda pair: -pair[1])[:most]
