"""What an untouched label is worth."""

import pytest

from services.classifier.domain.hindsight import Hindsight


def of(wrong: float, right: float, changed: int, confirmed: int = 0) -> Hindsight:
    return Hindsight.of(
        expected_wrong=wrong, expected_right=right, changed=changed, confirmed=confirmed
    )


def test_where_every_wrong_label_is_corrected_what_is_left_is_right() -> None:
    hindsight = of(100, 900, 100)
    assert hindsight == Hindsight(1.0, 0.0)
    assert hindsight.right(0.3) == 1.0
    assert hindsight.stands_for == 1.0


def test_where_none_is_a_label_is_as_right_as_its_model_thought() -> None:
    assert Hindsight(0.0, 0.0).right(0.7) == pytest.approx(0.7)


def test_bayes_lies_between() -> None:
    assert of(100, 900, 50).right(0.5) == pytest.approx(2 / 3)


def test_an_audit_says_nothing_about_what_it_left_out() -> None:
    assert of(100, 900, 10, 90).right(0.7) == pytest.approx(0.7)


def test_more_corrections_than_errors_were_expected_are_all_of_them() -> None:
    assert of(100, 900, 250).corrected == 1.0


def test_a_single_correction_stands_for_twenty_at_most() -> None:
    assert of(1_000, 9_000, 1).stands_for == pytest.approx(20)


def test_without_any_label_every_ticket_counts_as_looked_at() -> None:
    assert of(0, 0, 5, 5) == Hindsight(1.0, 0.0)


def test_a_label_of_no_probability_is_worth_nothing() -> None:
    assert Hindsight(1.0, 0.0).right(0.0) == 0.0
