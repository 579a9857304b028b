"""The error budget: what is promised holds, and nothing is promised without evidence."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.domain.error_budget import (
    Evidence,
    measure_error_budget,
    wilson_bound,
)

Judged = tuple[list[str], list[str], list[float]]


def tickets(rows: int, seed: int, topic: str = "vpn", skill: float = 1.0) -> Judged:
    """Perfectly calibrated labels of one topic: right as often as they are sure, times skill."""
    generator = np.random.default_rng(seed)
    sure = generator.uniform(0.5, 1.0, rows)
    right = generator.random(rows) < sure * skill
    return [topic if hit else "other" for hit in right], [topic] * rows, sure.tolist()


def joined(*parts: Judged) -> Judged:
    return (
        [label for part in parts for label in part[0]],
        [label for part in parts for label in part[1]],
        [value for part in parts for value in part[2]],
    )


def test_wilson_agrees_with_the_published_interval() -> None:
    # 81 of 263 at 95 %: .2553 to .3662 (Newcombe 1998, table I, method 3).
    assert wilson_bound(81, 263, 1.959964) == pytest.approx(0.2553, abs=5e-5)
    assert wilson_bound(81, 263, -1.959964) == pytest.approx(0.3662, abs=5e-5)


@given(st.integers(1, 500), st.floats(0.1, 4.0), st.data())
def test_the_bounds_enclose_the_rate(trials: int, z: float, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, trials))
    low, high = wilson_bound(hits, trials, z), wilson_bound(hits, trials, -z)
    assert -1e-9 <= low <= hits / trials + 1e-9
    assert hits / trials - 1e-9 <= high <= 1.0 + 1e-9


def test_nothing_is_known_without_trials() -> None:
    assert (wilson_bound(0, 0, 1.0), wilson_bound(0, 0, -1.0)) == (0.0, 1.0)


def test_enough_evidence_grants_a_threshold_that_keeps_the_target() -> None:
    labels, predicted, sure = tickets(20_000, seed=1)
    found = measure_error_budget(labels, predicted, sure).threshold("vpn")
    assert found.evidence is Evidence.OWN
    # Of calibrated labels between t and 1 the share (1 + t) / 2 is right: .95 is met from t = .9.
    assert 0.9 <= found.confidence <= 0.95
    assert found.precision >= found.lower_bound >= 0.95
    assert found.coverage == pytest.approx((1.0 - found.confidence) / 0.5, abs=0.01)


def test_the_promise_is_kept_on_new_tickets_in_nearly_all_draws() -> None:
    granted = []
    for seed in range(200):
        labels, predicted, sure = tickets(2_000, seed)
        threshold = measure_error_budget(labels, predicted, sure).threshold("vpn")
        if threshold.evidence is Evidence.OWN:
            granted.append(threshold.confidence)
    assert len(granted) > 50
    # The true precision above t is (1 + t) / 2; the assurance is .9 over all draws.
    assert sum(threshold < 0.9 for threshold in granted) <= 20


@pytest.mark.parametrize("rows", [0, 1, 10, 30])
def test_few_tickets_grant_nothing_however_right_they_were(rows: int) -> None:
    budget = measure_error_budget(["vpn"] * rows, ["vpn"] * rows, [0.99] * rows)
    assert budget.threshold("vpn").confidence == inf
    assert not budget.applies("vpn", 1.0)
    assert budget.coverage == 0.0


def test_a_rare_topic_borrows_the_pooled_threshold() -> None:
    labels, predicted, sure = joined(tickets(20_000, 1), (["mail"] * 5, ["mail"] * 5, [0.99] * 5))
    budget = measure_error_budget(labels, predicted, sure)
    assert budget.threshold("mail").evidence is Evidence.POOLED
    assert budget.threshold("mail").confidence == budget.pooled.confidence
    assert budget.applies("mail", 0.99)
    assert budget.threshold("never met") == budget.pooled


def test_a_rare_topic_that_is_often_wrong_borrows_nothing() -> None:
    wrong = (["vpn"] * 8, ["mail"] * 8, [0.99] * 8)
    budget = measure_error_budget(*joined(tickets(20_000, 1), wrong))
    assert budget.threshold("mail").evidence is Evidence.NONE
    assert not budget.applies("mail", 1.0)


def test_a_topic_below_the_target_is_never_applied_beside_one_above_it() -> None:
    parts = joined(tickets(10_000, 1), tickets(10_000, 2, topic="mail", skill=0.6))
    budget = measure_error_budget(*parts)
    assert budget.applies("vpn", 0.99)
    assert not budget.applies("mail", 0.99)
    assert 0.0 < budget.coverage < 0.5


def test_equal_confidence_is_in_or_out_together() -> None:
    # The first thousand are right, but no threshold can part them from the rest.
    labels = ["vpn"] * 1_000 + ["other"] * 1_000
    budget = measure_error_budget(labels, ["vpn"] * 2_000, [0.9] * 2_000)
    assert not budget.applies("vpn", 0.9)


def test_a_lower_target_covers_more() -> None:
    data = tickets(10_000, seed=3)
    strict = measure_error_budget(*data, target=0.95)
    lax = measure_error_budget(*data, target=0.8)
    assert lax.coverage > strict.coverage > 0.0


@pytest.mark.parametrize(("target", "assurance"), [(0.0, 0.9), (1.0, 0.9), (0.95, 1.0)])
def test_impossible_promises_are_refused(target: float, assurance: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        measure_error_budget(["a"], ["a"], [0.5], target=target, assurance=assurance)
