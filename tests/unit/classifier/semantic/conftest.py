"""A desk of three topics whose experts are the real encoder's."""

from collections.abc import Callable

import pytest

from services.classifier.models.encoding.encoder import Encoder, shared_encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.semantic.heads import CascadedHead

_THINGS = {
    "printing": ("the printer is out of toner", "paper jam in the printer", "print queue hangs"),
    "access": ("I forgot my password", "my account is locked", "cannot log in"),
    "network": ("the wifi is slow", "vpn drops every hour", "no internet connection"),
}
TEXTS = [f"{text} {n}" for n in range(8) for texts in _THINGS.values() for text in texts]
LABELS = [topic for _ in range(8) for topic, texts in _THINGS.items() for _ in texts]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return shared_encoder()


@pytest.fixture(scope="session")
def trained(encoder: Encoder) -> Callable[[], FastLabeller]:
    """Loads the trained model, without experts, afresh at each call."""
    state = FastLabeller.train(TEXTS, LABELS, encoder=encoder).state()
    return lambda: FastLabeller.from_state(state, "v1", encoder)


@pytest.fixture
def fold(trained: Callable[[], FastLabeller], encoder: Encoder) -> Fold:
    """A fold that begins with experts."""

    def base() -> FastLabeller:
        plain = trained()
        topic = CascadedHead.over(plain.topic, encoder=encoder)
        return FastLabeller(topic, plain.priority, plain.identity)

    return Fold(base)
