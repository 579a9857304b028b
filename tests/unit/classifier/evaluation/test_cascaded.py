"""The semantic stage as it is judged: only the least sure are encoded."""

from itertools import product

import numpy as np
import pytest

from services.classifier.evaluation.cascaded import CascadedClassifier
from services.classifier.evaluation.folded import FoldedClassifier

PAIRS = [
    (f"{way} {thing} {number}", topic)
    for (thing, topic), way, number in product(
        [("vpn tunnel", "net"), ("full inbox", "mail"), ("paper tray", "print")],
        ["broken", "please help with", "no", "slow"],
        range(5),
    )
]
TEXTS, LABELS = [text for text, _ in PAIRS], [label for _, label in PAIRS]


@pytest.fixture(scope="module")
def model() -> CascadedClassifier:
    found = CascadedClassifier(share=0.25)
    found.fit(TEXTS, LABELS)
    return found


def test_only_the_least_sure_are_encoded(model: CascadedClassifier) -> None:
    fast = FoldedClassifier.predict_proba(model, TEXTS)
    found = model.predict_proba(TEXTS)
    changed = (found != fast).any(axis=1)
    assert 0 < model.semantic_share <= 0.25
    assert changed.any()
    assert fast[changed].max(axis=1).max() <= np.quantile(fast.max(axis=1), 0.25) + 1e-6


def test_a_share_of_nothing_is_the_fast_model() -> None:
    model = CascadedClassifier(share=0.0)
    model.fit(TEXTS, LABELS)
    assert np.array_equal(model.predict_proba(TEXTS), FoldedClassifier.predict_proba(model, TEXTS))
    assert model.semantic_share == 0.0


def test_it_learns_by_the_log(model: CascadedClassifier) -> None:
    model.correct("the elevator is stuck", "building")
    model.refit()
    assert "building" in model.classes
    assert model.novelty(["qwertz uiop"])[0] > np.median(model.novelty(TEXTS))
