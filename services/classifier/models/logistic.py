"""Multinomial logistic regression on dense vectors, to convergence and without hand-set steps."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.blas import one_thread

Array = NDArray[np.float32]

_MOST_STEPS: Final = 60
# Relative fall of the loss that ends the search: further steps move no hold-out answer.
_TOLERANCE: Final = 1e-4
# Rows that are held as floats at a time, where inputs are made as they are asked for.
_CHUNK: Final = 1024


class Inputs(Protocol):
    """Rows of floats, in memory or made when a range of them is asked for."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: slice, /) -> Array: ...


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
    vectors: Inputs,
    labels: NDArray[np.int32],
    classes: int,
    *,
    strength: float,
    importance: Array | None = None,
    start: LogisticHead | None = None,
    directions: int | None = None,
) -> LogisticHead:
    """Minimise strength x sum of importance x log loss + |weights|^2 / 2 (bias not penalised).

    L-BFGS in coordinates where the loss is about equally curved in all directions (the inputs'
    second moments are divided out), so that some dozen steps reach what hundreds do otherwise.
    vectors (texts, dimension), labels in 0..classes-1, importance (texts,) default 1.
    directions: how many to search in, those in which inputs vary most; default all. Beside the
    vectors it holds texts x directions floats.
    """
    with one_thread():
        weight = np.ones(len(labels), np.float32) if importance is None else importance
        space = _Space.of(vectors, weight, classes, strength, directions)
        return _fit(space, labels, weight, classes, strength=strength, start=start)


@dataclass(frozen=True, slots=True)
class _Space:
    """The coordinates of the search: x -> ((x - centre) @ directions x stretch, 1)."""

    centre: Array
    directions: Array
    stretch: Array
    design: Array

    @classmethod
    def of(
        cls,
        vectors: Inputs,
        weight: Array,
        classes: int,
        strength: float,
        most: int | None,
    ) -> "_Space":
        count, dimension = vectors.shape
        chunks = [slice(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]
        total, square = np.zeros(dimension), np.zeros((dimension, dimension))
        for chunk in chunks:
            inputs = vectors[chunk]
            weighed = inputs * weight[chunk, None]
            total += weighed.sum(axis=0, dtype=np.float64)
            square += weighed.T @ inputs
        mass = float(weight.sum(dtype=np.float64))
        square -= np.outer(total, total) / mass
        moments, directions = np.linalg.eigh(square.astype(np.float32))
        kept = slice(max(dimension - (most or dimension), 0), None)
        # p(1 - p) averaged over classes, about; the factor only changes how many steps it takes.
        curvature = np.maximum(moments[kept], 0.0) / classes + 1.0 / strength
        stretch = (1.0 / np.sqrt(curvature)).astype(np.float32)
        centre = (total / mass).astype(np.float32)
        basis: Array = np.ascontiguousarray(directions[:, kept])
        design = np.ones((count, len(stretch) + 1), np.float32)
        for chunk in chunks:
            design[chunk, :-1] = (vectors[chunk] - centre) @ (basis * stretch)
        return cls(centre, basis, stretch, design)

    def enter(self, head: LogisticHead, classes: int) -> Array:
        """A head as the search sees it; what lies outside of the kept directions is lost."""
        theta = np.zeros((len(self.stretch) + 1, classes), np.float32)
        known = head.weights.shape[1]
        theta[:-1, :known] = (self.directions.T @ head.weights) / self.stretch[:, None]
        theta[-1, :known] = head.bias + self.centre @ head.weights
        return theta

    def leave(self, theta: Array) -> LogisticHead:
        """The head that the search sees as `theta`."""
        weights = ((self.directions * self.stretch) @ theta[:-1]).astype(np.float32)
        bias = (theta[-1] - self.centre @ weights).astype(np.float32)
        return LogisticHead(weights, bias)


def _fit(
    space: _Space,
    labels: NDArray[np.int32],
    weight: Array,
    classes: int,
    *,
    strength: float,
    start: LogisticHead | None,
) -> LogisticHead:
    design = space.design
    # The penalty in these coordinates; the bias, the last, has none.
    penalty = np.append(space.stretch**2, np.float32(0))[:, None] / np.float32(strength)
    rows = np.arange(len(labels))
    first = np.zeros((design.shape[1], classes), np.float32)
    if start is not None:
        first = space.enter(start, classes)

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

    from scipy.optimize import minimize  # noqa: PLC0415 - only fitting needs it: see `calibration`

    found = minimize(
        loss, first.ravel().astype(np.float64), jac=True, method="L-BFGS-B",
        options={"maxiter": _MOST_STEPS, "ftol": _TOLERANCE, "gtol": 0.0, "maxcor": 10},
    )  # fmt: skip
    return space.leave(found.x.reshape(first.shape).astype(np.float32))
