"""The stratified split: fair to every class, and the same for the same seed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.evaluation.splits import stratified_rows

LABELS = ["often"] * 80 + ["seldom"] * 20 + ["once"]


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(0, 9))
def test_every_row_is_on_one_side_and_every_class_in_training(labels: list[str], seed: int) -> None:
    kept, held = stratified_rows(labels, 0.3, seed)
    assert sorted(kept + held) == list(range(len(labels)))
    assert {labels[row] for row in kept} == set(labels)
    assert kept == sorted(kept)
    assert held == sorted(held)


def test_each_class_gives_its_share() -> None:
    _, held = stratified_rows(LABELS, 0.2, seed=3)
    counts = Counter(LABELS[row] for row in held)
    assert counts["often"] in {16, 17}
    assert counts["seldom"] in {4, 5}
    assert counts["once"] == 0


def test_rare_classes_are_held_out_in_their_proportion() -> None:
    labels = [f"pair-{row // 2}" for row in range(400)]
    _, held = stratified_rows(labels, 0.2, seed=0)
    assert 50 <= len(held) <= 110


def test_the_seed_decides() -> None:
    first = stratified_rows(LABELS, 0.2, seed=1)
    assert stratified_rows(LABELS, 0.2, seed=1) == first
    assert stratified_rows(LABELS, 0.2, seed=2) != first


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_that_leaves_a_side_empty_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        stratified_rows(LABELS, share, seed=0)
