"""Multinomial logistic regression on dense vectors, to convergence and without hand-set steps."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.classifier.models.blas import one_thread

Array = NDArray[np.float32]

_MOST_STEPS: Final = 60
# Relative fall of the loss that ends the search: further steps move no hold-out answer.
_TOLERANCE: Final = 1e-4


@dataclass(frozen=True, slots=True)
class LogisticHead:
    """logits = x @ weights + bias; weights (dimension, classes), bias (classes,)."""

    weights: Array
    bias: Array

    def logits(self, vectors: Array) -> Array:
        """Shape (texts, classes)."""
        with one_thread():
            result: Array = vectors @ self.weights + self.bias
        return result


def fit_logistic(
    vectors: Array,
    labels: NDArray[np.int32],
    classes: int,
    *,
    strength: float,
    importance: Array | None = None,
    start: LogisticHead | None = None,
) -> LogisticHead:
    """Minimise strength x sum of importance x log loss + |weights|^2 / 2 (bias not penalised).

    L-BFGS in coordinates where the loss is about equally curved in all directions (the inputs'
    second moments are divided out), so that some dozen steps reach what hundreds do otherwise.
    vectors (texts, dimension), labels in 0..classes-1, importance (texts,) default 1.
    """
    with one_thread():
        weight = np.ones(len(vectors), np.float32) if importance is None else importance
        return _fit(vectors, labels, weight, classes, strength=strength, start=start)


def _fit(
    vectors: Array,
    labels: NDArray[np.int32],
    weight: Array,
    classes: int,
    *,
    strength: float,
    start: LogisticHead | None,
) -> LogisticHead:
    count, dimension = vectors.shape
    centre = (weight @ vectors / weight.sum()).astype(np.float32)
    inputs = vectors - centre
    directions, stretch = _equalising(inputs * np.sqrt(weight)[:, None], classes, strength)
    design = np.concatenate([inputs @ (directions * stretch), np.ones((count, 1), np.float32)], 1)
    # The penalty in the new coordinates; the bias, the last, has none.
    penalty = np.append(stretch**2, 0.0)[:, None] / np.float32(strength)
    rows = np.arange(count)
    first = np.zeros((dimension + 1, classes), np.float32)
    if start is not None:
        known = start.weights.shape[1]
        first[:-1, :known] = (directions.T @ start.weights) / stretch[:, None]
        first[-1, :known] = start.bias + centre @ start.weights

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = flat.reshape(first.shape).astype(np.float32)
        scores = design @ theta
        scores -= scores.max(axis=1, keepdims=True)
        truth = scores[rows, labels].copy()
        np.exp(scores, out=scores)
        total = scores.sum(axis=1)
        value = float(weight @ (np.log(total) - truth)) + 0.5 * float((penalty * theta**2).sum())
        scores *= (weight / total)[:, None]
        scores[rows, labels] -= weight
        slope = design.T @ scores + penalty * theta
        return value, slope.ravel().astype(np.float64)

    found = minimize(
        loss, first.ravel().astype(np.float64), jac=True, method="L-BFGS-B",
        options={"maxiter": _MOST_STEPS, "ftol": _TOLERANCE, "gtol": 0.0, "maxcor": 10},
    )  # fmt: skip
    theta = found.x.reshape(first.shape).astype(np.float32)
    weights = (directions * stretch) @ theta[:-1]
    return LogisticHead(weights, theta[-1] - centre @ weights)


def _equalising(inputs: Array, classes: int, strength: float) -> tuple[Array, Array]:
    """Directions (dimension, dimension) and a stretch of each that evens out the curvature."""
    moments, directions = np.linalg.eigh((inputs.T @ inputs).astype(np.float64))
    # p(1 - p) averaged over classes, about; the exact factor only changes how many steps it takes.
    curvature = np.maximum(moments, 0.0) / classes + 1.0 / strength
    return directions.astype(np.float32), (1.0 / np.sqrt(curvature)).astype(np.float32)
