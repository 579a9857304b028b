"""What the model tests share: a small desk of tickets, a fake encoder and the real one."""

import hashlib
import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.encoding.carrier import installed_carrier
from services.classifier.models.encoding.encoder import UniversalEncoder

_WAYS = (
    "my {} is not working", "please help with the {}", "the {} failed again today",
    "I cannot use the {} any more", "why does the {} take so long?", "{} broken since monday",
    "there is a problem with our {}", "need the {} for a new colleague",
)  # fmt: skip
_THINGS = {
    "printing": ("printer", "toner", "scanner", "paper tray", "print queue"),
    "access": ("password", "login", "account", "two factor code", "sign-in page"),
    "network": ("wifi", "vpn tunnel", "network cable", "router", "internet connection"),
    "finance": ("invoice", "payment", "refund", "credit note", "purchase order"),
}


class BagEncoder:
    """Fake: a text is the sum of a random direction per word, so shared words are similarity."""

    identity = ModelIdentity("bag", "1", "0")
    dimension = 512
    word_dimension = 512

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        out = np.zeros((len(texts), 512), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                out[row] += self._direction(word)
            length = np.linalg.norm(out[row])
            if length:
                out[row] /= length
        return out

    def encode_words(self, words: Sequence[str]) -> np.ndarray:
        return np.stack([self._direction(word) for word in words]).reshape(len(words), 512)

    def rest(self) -> None:
        """Nothing is kept."""

    @staticmethod
    def _direction(word: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8])
        return np.random.default_rng(seed).standard_normal(512).astype(np.float32) / 22.6


@pytest.fixture(scope="session")
def bag_encoder() -> BagEncoder:
    return BagEncoder()


@pytest.fixture(scope="session")
def universal_encoder(tmp_path_factory: pytest.TempPathFactory) -> UniversalEncoder:
    return UniversalEncoder(installed_carrier(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="session")
def desk() -> tuple[list[str], list[str]]:
    """160 tickets of four topics, shuffled."""
    pairs = [
        (way.format(thing), topic)
        for topic, things in _THINGS.items()
        for thing, way in itertools.product(things, _WAYS)
    ]
    order = np.random.default_rng(0).permutation(len(pairs)).tolist()
    return [pairs[i][0] for i in order], [pairs[i][1] for i in order]
