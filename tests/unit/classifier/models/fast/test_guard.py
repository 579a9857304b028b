"""The guard's verdict: real losses are refused, chance and small losses are not."""

import numpy as np
import pytest

from services.classifier.models.fast.guard import Guard


def right(*shares: tuple[bool, int]) -> np.ndarray:
    return np.concatenate([np.full(count, value) for value, count in shares])


ALL = right((True, 400))


@pytest.mark.parametrize(
    ("lost", "refused"), [(0, False), (2, False), (4, False), (5, True), (40, True)]
)
def test_a_loss_counts_once_chance_does_not_explain_it(lost: int, refused: bool) -> None:
    after = right((False, lost), (True, 400 - lost))
    assert Guard(trained=ALL).refuses(ALL, after) is refused


def test_small_losses_do_not_add_up() -> None:
    guard = Guard(trained=ALL)
    before = right((False, 4), (True, 396))
    after = right((False, 8), (True, 392))
    assert not guard.refuses(ALL, before)
    assert guard.refuses(before, after)
    assert not Guard(trained=before).refuses(before, after)


def test_what_is_no_worse_than_what_it_replaces_is_kept() -> None:
    worse = right((False, 40), (True, 360))
    assert not Guard(trained=ALL).refuses(worse, worse)
    assert not Guard(trained=ALL).refuses(worse, right((False, 39), (True, 361)))


def test_gains_excuse_losses() -> None:
    trained = right((True, 200), (False, 200))
    after = right((False, 10), (True, 190), (True, 9), (False, 191))
    assert not Guard(trained=trained).refuses(trained, after)


def test_without_texts_nothing_is_refused() -> None:
    none = np.zeros(0, np.bool_)
    assert not Guard().refuses(none, none)


def test_its_state_is_taken_back() -> None:
    guard = Guard(("a", "b"), ("x", "y"), trained=np.array([True, False]))
    found = Guard.from_state(guard.state())
    assert (found.texts, found.labels) == (guard.texts, guard.labels)
    assert found.trained.tolist() == [True, False]
    assert Guard.from_state({"texts": ["a"], "labels": ["x"]}).trained.size == 0
