"""The encoder of this process; the built-in one is loaded when it is first asked for something."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.encoding.carrier import IDENTITY
from services.classifier.models.encoding.choice import chosen_encoder, named_encoder

Array = NDArray[np.float32]

_DIMENSION: Final = 512
_WORD_DIMENSION: Final = 1024


class DeferredEncoder:
    """An Encoder for a model that may never meet a new word: its 100 MB are loaded at need.

    What encodes is `choice.chosen_encoder`. To encode raises CarrierError where the built-in
    weights cannot be loaded.
    """

    @property
    def identity(self) -> ModelIdentity:
        named = named_encoder()
        return named.identity if named else IDENTITY

    @property
    def dimension(self) -> int:
        named = named_encoder()
        return named.dimension if named else _DIMENSION

    @property
    def word_dimension(self) -> int:
        named = named_encoder()
        return named.word_dimension if named else _WORD_DIMENSION

    def encode(self, texts: Sequence[str]) -> Array:
        """As `Encoder.encode`."""
        return chosen_encoder().encode(texts)

    def encode_words(self, words: Sequence[str]) -> Array:
        """As `Encoder.encode_words`."""
        return chosen_encoder().encode_words(words)

    def rest(self) -> None:
        """As `Encoder.rest`."""
        chosen_encoder().rest()
