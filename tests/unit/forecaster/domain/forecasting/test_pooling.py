"""Leads, buckets, and weights by past errors."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.leads import in_buckets, lead_grid
from services.forecaster.domain.forecasting.pooling import lead_weights

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


def weights_for(errors: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
    leads = np.arange(1, errors.shape[2] + 1)
    given = np.full((len(errors), len(leads)), 1 / len(errors)) if prior is None else prior
    made = lead_weights(errors, given, leads, BUCKETS, np.ones(errors.shape[1]))
    return made.at(leads)


def test_better_candidates_weigh_more_and_all_sum_to_one() -> None:
    errors = np.ones((3, 20, 28))
    errors[1] *= 1.2
    errors[2] *= 2.0
    weights = weights_for(errors)
    np.testing.assert_allclose(weights.sum(axis=0), 1.0)
    assert (weights[0] > 1.5 * weights[1]).all()
    assert (weights[2] < 0.01).all()


def test_each_lead_has_its_own_winner() -> None:
    errors = np.ones((2, 20, 28))
    errors[0, :, :7] = 0.5
    errors[1, :, 14:] = 0.5
    weights = weights_for(errors)
    assert weights[0, 0] > 0.95
    assert weights[1, 27] > 0.95


def test_without_outcomes_the_prior_stands() -> None:
    prior = np.tile(np.array([[0.7], [0.3]]), (1, 28))
    np.testing.assert_allclose(weights_for(np.full((2, 5, 28), np.nan), prior), prior)


def test_few_origins_change_little() -> None:
    errors = np.ones((2, 40, 28))
    errors[1] *= 1.1
    assert weights_for(errors[:, :2])[0].mean() < weights_for(errors)[0].mean()
