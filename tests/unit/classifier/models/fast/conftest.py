"""A fold that begins with a small trained model."""

import pytest

from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from tests.unit.classifier.models.fast.folds import TEXTS, TOPICS, MakeFold


@pytest.fixture
def make(bag_encoder: Encoder) -> MakeFold:
    trained = FastLabeller.train(TEXTS, TOPICS, ["high", "low", "high"] * 40, encoder=bag_encoder)
    state = encode_state(trained.state())
    return lambda: Fold(lambda: FastLabeller.from_state(decode_state(state), "v1", bag_encoder))
