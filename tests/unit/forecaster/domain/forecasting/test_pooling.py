"""Leads, buckets, and weights by past errors."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.leads import in_buckets, lead_grid
from services.forecaster.domain.forecasting.pooling import LeadWeights, lead_weights

BUCKETS = (1, 7, 14, 28)


def test_leads_thin_out_without_repeating() -> None:
    leads = lead_grid(40, ((7, 1), (20, 3), (300, 10)))
    assert leads.tolist() == [*range(1, 8), 8, 11, 14, 17, 20, 23, 33]
    assert lead_grid(2, ((7, 1), (20, 3))).tolist() == [1, 2]
    assert lead_grid(8, ((7, 1), (20, 3))).tolist() == list(range(1, 9))


def test_buckets_hold_their_leads() -> None:
    spans = in_buckets(np.array([1, 2, 7, 20]), BUCKETS)
    assert [(span.start, span.stop) for span, _ in spans] == [(0, 1), (1, 3), (3, 4)]
    assert spans[2][1] == pytest.approx(np.log(20))


def noise(count: int, origins: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, origins, 28))


def judged(
    errors: np.ndarray, prior: np.ndarray | None = None, spacing: int = 28
) -> tuple[LeadWeights, np.ndarray]:
    """Weights and rehearsal where 99 came every time and candidates missed it by `errors`."""
    leads = np.arange(1, errors.shape[2] + 1)
    given = np.full((len(errors), len(leads)), 1 / len(errors)) if prior is None else prior
    actuals = np.where(np.isfinite(errors[0]), 99.0, np.nan)
    recency = np.ones(errors.shape[1])
    return lead_weights(
        99.0 + errors, actuals, given, leads, BUCKETS, recency=recency, spacing=spacing
    )


def weights_for(errors: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
    return judged(errors, prior)[0].at(np.arange(1, errors.shape[2] + 1))


def test_better_candidates_weigh_more_and_all_sum_to_one() -> None:
    weights = weights_for(noise(3, 80) * np.array([1.0, 1.5, 6.0])[:, None, None])
    np.testing.assert_allclose(weights.sum(axis=0), 1.0)
    assert (weights[0, 13:] > 1.3 * weights[1, 13:]).all()
    assert (weights[2] < 0.1).all()


def test_each_lead_has_its_own_winner() -> None:
    errors = noise(2, 40)
    errors[0, :, :7] *= 0.2
    errors[1, :, 14:] *= 0.2
    weights = weights_for(errors)
    assert weights[0, 0] > 0.85
    assert weights[1, 27] > 0.85


def test_candidates_that_err_alike_share_one_worth() -> None:
    errors = noise(2, 60)
    weights = weights_for(errors[[0, 0, 0, 1]])
    np.testing.assert_allclose(weights[0], weights[1])
    assert (weights[3, 7:] > 1.5 * weights[0, 7:]).all()


def test_opposite_errors_are_pooled_although_each_is_worse() -> None:
    too_high = np.full((1, 40, 28), 2.0)
    weights = weights_for(np.concatenate([too_high, -too_high, 0.9 * too_high]))
    assert (weights[1] > weights[2]).all()


def test_one_odd_origin_does_not_choose() -> None:
    errors = noise(2, 40)
    usual = weights_for(errors)
    errors[0, 20] += 5000.0
    assert (weights_for(errors)[0, 7:] > 0.25 * usual[0, 7:]).all()


def test_without_outcomes_the_prior_stands() -> None:
    prior = np.tile(np.array([[0.7], [0.3]]), (1, 28))
    np.testing.assert_allclose(weights_for(np.full((2, 5, 28), np.nan), prior), prior)


def test_few_origins_change_little() -> None:
    errors = noise(2, 40) * np.array([1.0, 1.5])[:, None, None]
    assert weights_for(errors[:, :2])[0].mean() < weights_for(errors)[0].mean()


def test_forecasts_that_overlap_change_less() -> None:
    errors = noise(2, 40) * np.array([1.0, 1.5])[:, None, None]
    leads = np.arange(1, 29)
    apart, overlapping = (judged(errors, spacing=days)[0].at(leads)[0] for days in (28, 2))
    assert overlapping[0] == pytest.approx(apart[0])
    assert (overlapping[7:] < apart[7:]).all()


def test_a_rehearsal_knows_nothing_of_its_own_outcomes() -> None:
    errors = noise(2, 40)
    errors[0] *= 0.5
    changed = errors.copy()
    changed[0, :10] *= 9.0
    weights, before = judged(errors)
    others, after = judged(changed)
    leads = np.arange(1, 29)
    # The first span's forecasts change with what candidates said, by weights that stay.
    used = (before[:10] - 99.0 - errors[1, :10]) / (errors[0, :10] - errors[1, :10])
    still = (after[:10] - 99.0 - changed[1, :10]) / (changed[0, :10] - changed[1, :10])
    # (What is odd is decided over all, which moves them a little.)
    np.testing.assert_allclose(used, still, atol=0.01)
    assert others.at(leads)[0].mean() < weights.at(leads)[0].mean()
    assert not np.allclose(before[10:], after[10:])
