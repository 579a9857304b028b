"""A small trained model, as it would be loaded, and a fold that begins with it."""

from collections.abc import Callable

import pytest

from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller

TEXTS = [f"{text} {n}" for n in range(40) for text in ("vpn drops", "inbox full", "no wifi")]


@pytest.fixture(scope="session")
def base() -> Callable[[], FastLabeller]:
    """Loads a model of two topics and two priorities, afresh at each call."""
    trained = FastLabeller.train(TEXTS, ["net", "mail", "net"] * 40, ["high", "low", "high"] * 40)
    files = encode_state(trained.state())
    return lambda: FastLabeller.from_state(decode_state(files), "v1")


@pytest.fixture
def fold(base: Callable[[], FastLabeller]) -> Fold:
    return Fold(base)
