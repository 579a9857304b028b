"""Multinomial logistic regression on dense vectors, to convergence and without hand-set steps."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.blas import one_thread
from services.classifier.models.descent import minimum

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
    vectors it holds texts x directions halves.
    """
    with one_thread():
        weight = np.ones(len(labels), np.float32) if importance is None else importance
        space = _Space.of(vectors, weight, classes, strength, directions)
        return _fit(space, labels, weight, classes, strength=strength, start=start)


@dataclass(frozen=True, slots=True)
class _Space:
    """The coordinates of the search: x -> ((x - centre) @ directions x stretch, 1).

    design: the inputs in them. Halves are more exact than the int8 that vectors are made of.
    """

    centre: Array
    directions: Array
    stretch: Array
    design: NDArray[np.float16]

    @classmethod
    def of(
        cls,
        vectors: Inputs,
        weight: Array,
        classes: int,
        strength: float,
        most: int | None,
    ) -> "_Space":
        centre, basis, moments = _directions(vectors, weight, most)
        # p(1 - p) averaged over classes, about; the factor only changes how many steps it takes.
        curvature = np.maximum(moments, 0.0) / classes + 1.0 / strength
        stretch = (1.0 / np.sqrt(curvature)).astype(np.float32)
        design = np.ones((len(weight), len(stretch) + 1), np.float16)
        onto = basis * stretch
        for chunk in _chunks(len(weight)):
            design[chunk, :-1] = (vectors[chunk] - centre) @ onto
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


def _chunks(count: int) -> list[slice]:
    return [slice(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]


def _directions(vectors: Inputs, weight: Array, most: int | None) -> tuple[Array, Array, Array]:
    """Centre of the inputs, the directions they vary most in, as columns, and how much they do."""
    count, dimension = vectors.shape
    total = np.zeros(dimension)
    for chunk in _chunks(count):
        total += (vectors[chunk] * weight[chunk, None]).sum(axis=0, dtype=np.float64)
    centre = (total / float(weight.sum(dtype=np.float64))).astype(np.float32)
    square = np.zeros((dimension, dimension), np.float32)
    for chunk in _chunks(count):
        inputs = vectors[chunk] - centre
        square += (inputs * weight[chunk, None]).T @ inputs
    moments, directions = np.linalg.eigh(square)
    kept = slice(max(dimension - (most or dimension), 0), None)
    basis: Array = np.ascontiguousarray(directions[:, kept])
    return centre, basis, moments[kept]


def _fit(
    space: _Space,
    labels: NDArray[np.int32],
    weight: Array,
    classes: int,
    *,
    strength: float,
    start: LogisticHead | None,
) -> LogisticHead:
    # The penalty in these coordinates; the bias, the last, has none.
    penalty = np.append(space.stretch**2, np.float32(0))[:, None] / np.float32(strength)
    first = np.zeros((space.design.shape[1], classes), np.float32)
    if start is not None:
        first = space.enter(start, classes)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = flat.reshape(first.shape).astype(np.float32)
        value, slope = 0.5 * float((penalty * theta**2).sum()), penalty * theta
        for chunk in _chunks(len(labels)):
            design, times = space.design[chunk].astype(np.float32), weight[chunk]
            truth = np.arange(len(design)), labels[chunk]
            scores = design @ theta
            scores -= scores.max(axis=1, keepdims=True)
            right = scores[truth]
            np.exp(scores, out=scores)
            total = scores.sum(axis=1)
            value += float(times @ (np.log(total) - right))
            scores *= (times / total)[:, None]
            scores[truth] -= times
            slope += design.T @ scores
        return value, slope.ravel().astype(np.float64)

    start_at = first.ravel().astype(np.float64)
    found = minimum(loss, start_at, most_steps=_MOST_STEPS, tolerance=_TOLERANCE)
    return space.leave(found.reshape(first.shape).astype(np.float32))
