"""The river face: river's own checks, and the same learner as the hot path's."""

from collections.abc import Callable

import pandas as pd
import pytest
from river import checks

from services.classifier.models.fast.online import HashedTextClassifier


@pytest.mark.parametrize(
    "check", checks.yield_checks(HashedTextClassifier()), ids=lambda check: check.__name__
)
def test_river_check(check: Callable[[HashedTextClassifier], None]) -> None:
    check(HashedTextClassifier())


def test_learns_texts_by_test_then_train(desk: tuple[list[str], list[str]]) -> None:
    model = HashedTextClassifier()
    right = 0
    for text, topic in zip(*desk, strict=True):
        right += model.predict_one(text) == topic
        model.learn_one(text, topic)
    assert right > 100


def test_many_is_one_repeated(desk: tuple[list[str], list[str]]) -> None:
    frame = pd.DataFrame({"text": desk[0]})
    one, many = HashedTextClassifier(), HashedTextClassifier()
    many.learn_many(frame, pd.Series(desk[1]))
    for text, topic in zip(*desk, strict=True):
        one.learn_one({"text": text}, topic)
    assert many.predict_proba_many(frame).iloc[7].to_dict() == one.predict_proba_one(desk[0][7])
    assert many.predict_many(frame).tolist() == [one.predict_one(text) for text in desk[0]]
