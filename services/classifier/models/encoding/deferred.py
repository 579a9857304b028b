"""The default encoder, loaded when it is first asked for something."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.encoding.encoder import shared_encoder

Array = NDArray[np.float32]

_DIMENSION: Final = 512
_WORD_DIMENSION: Final = 1024


class DeferredEncoder:
    """An Encoder for a model that may never meet a new word: its 130 MB are loaded at need.

    Every call raises CarrierError where the weights cannot be loaded.
    """

    @property
    def identity(self) -> ModelIdentity:
        return shared_encoder().identity

    @property
    def dimension(self) -> int:
        return _DIMENSION

    @property
    def word_dimension(self) -> int:
        return _WORD_DIMENSION

    def encode(self, texts: Sequence[str]) -> Array:
        """As `UniversalEncoder.encode`."""
        return shared_encoder().encode(texts)

    def encode_words(self, words: Sequence[str]) -> Array:
        """As `UniversalEncoder.encode_words`."""
        return shared_encoder().encode_words(words)
