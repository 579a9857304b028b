"""The minimum that is found, against what is known of it and what scipy finds."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.classifier.models.descent import minimum

Vector = NDArray[np.float64]


def valley(at: Vector) -> tuple[float, Vector]:
    """Rosenbrock's: narrow, bent, and least where every number is 1."""
    x, y = at[:-1], at[1:]
    value = float((100 * (y - x**2) ** 2 + (1 - x) ** 2).sum())
    slope = np.zeros_like(at)
    slope[:-1] = -400 * x * (y - x**2) - 2 * (1 - x)
    slope[1:] += 200 * (y - x**2)
    return value, slope


def test_the_bottom_of_a_bent_valley_is_found() -> None:
    found = minimum(valley, np.full(10, -1.2), most_steps=1_000, tolerance=1e-15)
    assert found == pytest.approx(np.ones(10), abs=1e-4)


def test_it_asks_about_as_often_as_scipy() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 12))
    y = (x @ rng.standard_normal(12) + rng.standard_normal(300) > 0).astype(float)
    asked = [0]

    def loss(at: Vector) -> tuple[float, Vector]:
        asked[0] += 1
        score = x @ at
        value = float(np.logaddexp(0, score).sum() - y @ score + at @ at / 2)
        return value, x.T @ (1 / (1 + np.exp(-score)) - y) + at

    found = minimum(loss, np.zeros(12), most_steps=60, tolerance=1e-9)
    ours, asked[0] = asked[0], 0
    theirs = minimize(loss, np.zeros(12), jac=True, method="L-BFGS-B", options={"ftol": 1e-9})
    assert ours <= asked[0] + 5
    assert loss(found)[0] == pytest.approx(theirs.fun, rel=1e-6)


def test_at_the_bottom_it_stays() -> None:
    assert minimum(valley, np.ones(4), most_steps=10, tolerance=1e-6).tolist() == [1.0] * 4


def test_a_loss_that_only_rises_leaves_it_where_it_was() -> None:
    def cliff(at: Vector) -> tuple[float, Vector]:
        return (0.0 if not at.any() else np.inf), np.ones_like(at)

    assert not minimum(cliff, np.zeros(3), most_steps=10, tolerance=1e-6).any()
