"""The encoder: universal-sentence-encoder-multilingual v3, sixteen languages, without torch."""

from collections.abc import Sequence
from functools import cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.encoding.carrier import (
    VERSION,
    WEIGHTS_SHA256,
    Carrier,
    installed_carrier,
    piece_table,
)
from services.classifier.models.encoding.cleaning import CHARACTER_CAP, clean
from services.classifier.models.encoding.network import TILE, SentenceNetwork, Weights

Array = NDArray[np.float32]

# More tokens cost time and, in a product with n-grams, no longer add accuracy.
TOKEN_CAP: Final = 64


class Encoder(Protocol):
    """Texts to vectors. The same text gives the same bits in any batch and from any thread."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def dimension(self) -> int:
        """Length of a text's vector."""
        ...

    @property
    def word_dimension(self) -> int:
        """Length of a word's vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Array:
        """Unit vectors, shape (texts, dimension); a text with nothing to encode gets zeros."""
        ...

    def encode_words(self, words: Sequence[str]) -> Array:
        """Vectors of single words, shape (words, word_dimension)."""
        ...

    def rest(self) -> None:
        """No more words for now: give back the memory that only makes the next ones faster."""
        ...


class UniversalEncoder:
    """Our own forward pass over the carried weights; see `carrier` for where they come from."""

    def __init__(self, carrier: Carrier | None = None, *, token_cap: int = TOKEN_CAP) -> None:
        """Load and verify. Raises CarrierError when the weights are not the pinned ones."""
        carrier = carrier or installed_carrier()
        self._tokens = SentencePieceProcessor(model_file=str(carrier.pieces))
        self._network = SentenceNetwork(Weights.load(carrier.weights), piece_table(carrier))
        self._cap = min(token_cap, TILE)
        self._reads_texts = False

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity("universal-sentence-encoder-multilingual-3", VERSION, WEIGHTS_SHA256)

    @property
    def dimension(self) -> int:
        return 512

    @property
    def word_dimension(self) -> int:
        return 1024

    def encode(self, texts: Sequence[str]) -> Array:
        """Unit vectors, shape (texts, 512); a text with nothing to encode gets zeros."""
        self._reads_texts = True
        cleaned = [clean(text) for text in texts]
        vectors = np.zeros((len(texts), 512), np.float32)
        kept = [i for i, text in enumerate(cleaned) if text]
        if kept:
            vectors[kept] = self.encode_exactly([cleaned[i] for i in kept])[0]
        return vectors

    def encode_words(self, words: Sequence[str]) -> Array:
        """The word through the network, then the mean of its pieces' embeddings: (words, 1024)."""
        if not words:
            return np.zeros((0, 1024), np.float32)
        return np.concatenate(self.encode_exactly(words), axis=1)

    def rest(self) -> None:
        """Forget the pieces of words, unless texts are encoded too: they use them over and over."""
        if not self._reads_texts:
            self._network.forget()

    def encode_exactly(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """Vectors of `texts` as they are, uncleaned, and the means of their pieces' embeddings."""
        safe = [text[:CHARACTER_CAP].encode("utf-8", "replace").decode("utf-8") for text in texts]
        # One by one: for a list sentencepiece starts a thread, dearer than a hundred texts.
        ids = [self._tokens.encode(t, out_type=int, add_bos=True, add_eos=True) for t in safe]
        for i, pieces in enumerate(ids):
            if len(pieces) > self._cap:
                ids[i] = [*pieces[: self._cap - 1], pieces[-1]]
        vectors = np.empty((len(texts), 512), np.float32)
        means = np.empty((len(texts), 512), np.float32)
        for first in range(0, len(ids), TILE):
            part = slice(first, first + TILE)
            vectors[part], means[part] = self._network.forward(ids[part])
        return vectors, means


@cache
def shared_encoder() -> Encoder:
    """The default encoder of this process, loaded at the first call: 0.7 s, 100 MB."""
    return UniversalEncoder()
