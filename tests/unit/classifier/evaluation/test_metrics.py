"""Each figure against its definition, worked out another way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from services.classifier.evaluation.metrics import (
    Answers,
    Confusion,
    accuracy,
    auroc,
    coverage_at_precision,
    expected_calibration_error,
    f1_by_class,
    macro_f1,
    majority_accuracy,
    worst_pairs,
)

LABELS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1)
SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=12)


def answers(labels: str, predicted: str, confidence: list[float] | None = None) -> Answers:
    sure = [0.5] * len(labels) if confidence is None else confidence
    return Answers(
        np.array(list(labels), dtype=np.str_),
        np.array(list(predicted), dtype=np.str_),
        np.array(sure, dtype=np.float32),
    )


def test_the_likeliest_class_is_the_answer_and_its_probability_the_confidence() -> None:
    table = np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]], dtype=np.float32)
    found = Answers.of(["b", "c"], ("a", "b", "c"), table)
    assert found.predicted.tolist() == ["b", "a"]
    assert found.confidence.tolist() == pytest.approx([0.7, 0.5])
    assert accuracy(found) == 0.5


def test_a_label_the_model_never_saw_is_a_plain_mistake() -> None:
    table = np.array([[0.9, 0.1]], dtype=np.float32)
    assert accuracy(Answers.of(["a much longer unseen name"], ("a", "b"), table)) == 0.0


@given(LABELS)
def test_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    labels, predicted = "".join(a for a, _ in pairs), "".join(b for _, b in pairs)
    expected = f1_score(list(labels), list(predicted), average="macro", zero_division=0.0)
    assert macro_f1(answers(labels, predicted)) == pytest.approx(expected)


def test_f1_of_each_class() -> None:
    assert f1_by_class(answers("aab", "abb")) == {
        "a": pytest.approx(2 / 3),
        "b": pytest.approx(2 / 3),
    }


def test_the_majority_is_the_training_sets_and_ties_go_by_name() -> None:
    assert majority_accuracy(["b", "a", "b"], ["b", "a", "c", "b"]) == 0.5
    assert majority_accuracy(["b", "a"], ["a"]) == 1.0


def test_calibration_error_weighs_each_bin_by_its_rows() -> None:
    # Three rows at .95, two of them right, and one at .2, right: 3/4 |2/3-.95| + 1/4 |1-.2|.
    found = answers("aaab", "aabb", [0.95, 0.95, 0.95, 0.2])
    expected = 0.75 * abs(2 / 3 - 0.95) + 0.25 * 0.8
    assert expected_calibration_error(found) == pytest.approx(expected, abs=1e-6)


def test_calibration_error_of_a_known_case() -> None:
    found = answers("aaaaaaabbb", "a" * 10, [0.9] * 10)
    assert expected_calibration_error(found) == pytest.approx(0.2, abs=1e-5)


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert expected_calibration_error(answers("a", "a", [1.0])) == 0.0


@given(SCORES, SCORES)
def test_auroc_is_the_share_of_pairs_in_the_right_order(
    known: list[float], novel: list[float]
) -> None:
    wins = [(n > k) + 0.5 * (n == k) for n in novel for k in known]
    found = auroc(np.array(known, dtype=np.float32), np.array(novel, dtype=np.float32))
    assert found == pytest.approx(sum(wins) / len(wins))


def test_auroc_of_nothing_is_not_a_number() -> None:
    assert math.isnan(auroc(np.empty(0, dtype=np.float32), np.ones(3, dtype=np.float32)))


def test_coverage_is_the_longest_sure_run_that_keeps_the_precision() -> None:
    # Right, right, wrong, right in order of confidence: at .75 all four pass, at .9 only two.
    found = answers("aaaa", "aaba", [0.9, 0.8, 0.7, 0.6])
    assert coverage_at_precision(found, 0.75) == 1.0
    assert coverage_at_precision(found, 0.9) == 0.5


def test_equal_confidence_cannot_be_cut_in_two() -> None:
    assert coverage_at_precision(answers("aaaa", "aabb", [0.9] * 4), 0.95) == 0.0
    assert coverage_at_precision(answers("aaaa", "aabb", [0.9, 0.9, 0.4, 0.4]), 0.95) == 0.5


def test_the_commonest_confusion_comes_first_with_its_share_of_the_class() -> None:
    found = answers("aaaabbc", "bbbaaac")
    assert worst_pairs(found, limit=1) == [Confusion("a", "b", 3, 0.75)]
    assert worst_pairs(answers("ab", "ab")) == []
