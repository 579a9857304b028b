"""The linear head's weights as they grow and shrink where they are, shared with a fork or not."""

import pickle

import numpy as np
import pytest

from services.classifier.models.lexical.linear import LinearHead
from services.classifier.models.lexical.vocabulary import Vocabulary


@pytest.fixture
def head() -> LinearHead:
    head = LinearHead()
    head.reset([f"class {i}" for i in range(10)], 50)
    head._weights[:, :10] = np.random.default_rng(0).standard_normal((50, 10))
    return head


def filled(head: LinearHead) -> np.ndarray:
    return head.state()["weights"].copy()


@pytest.mark.parametrize("shared", [False, True])
def test_a_class_more_leaves_the_weights_of_the_others(head: LinearHead, shared: bool) -> None:
    before = filled(head)
    twin = head.fork() if shared else None
    for number in range(300):
        assert head.column(f"new {number}") == 10 + number
    assert np.array_equal(filled(head)[:, :10], before[:, :10])
    assert not filled(head)[:, 10:].any()
    assert twin is None or np.array_equal(filled(twin), before)


@pytest.mark.parametrize("shared", [False, True])
def test_rows_are_kept_and_renumbered(head: LinearHead, shared: bool) -> None:
    before, kept = filled(head), np.array([0, 3, 4, 20, 49])
    twin = head.fork() if shared else None
    head.select(kept)
    assert head.rows == 5
    assert np.array_equal(filled(head), before[kept])
    head.lengthen(30)
    assert np.array_equal(filled(head)[:5], before[kept])
    assert not filled(head)[5:].any()
    assert twin is None or np.array_equal(filled(twin), before)


def test_a_favoured_class_gains_in_every_answer(head: LinearHead) -> None:
    nothing = Vocabulary().features(["unknown"])
    twin, before = head.fork(), head.logits(nothing)
    head.favour("class 3", 1.5)
    gained = (head.logits(nothing) - before)[0]
    assert gained[3] == pytest.approx(1.5)
    assert not np.delete(gained, 3).any()
    assert np.array_equal(twin.logits(nothing), before)


def test_it_grows_beyond_the_room_it_has(head: LinearHead) -> None:
    before = filled(head)
    head.lengthen(1_000_000)
    assert np.array_equal(filled(head)[:50], before)
    assert not filled(head)[50:].any()


def test_a_copy_does_not_carry_the_room_to_grow(head: LinearHead) -> None:
    written = pickle.dumps(head)
    assert len(written) < 100_000
    found = pickle.loads(written)  # noqa: S301 - just written
    assert found.classes == head.classes
    assert np.array_equal(filled(found), filled(head))
    found.column("another")
    assert "another" not in head.classes
