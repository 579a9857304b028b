"""Numba kernels of the linear softmax: scores of sparse rows, AdaGrad steps, probabilities."""

# ruff: noqa: PLR0917 - kernels take arrays, and numba no keyword-only parameters

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import kernel, vector_kernel

# Squared gradient every row starts with. From zero, AdaGrad's first steps on a rare n-gram are as
# large as on a common one and what they learn is chance; from here it nears plain gradient descent,
# which keeps weights small and was .5 to .9 points more accurate on short and long texts alike.
_HEAD_START: Final = np.float32(10)
# An example already learned to this squared error changes nothing worth the memory traffic.
_LEARNED: Final = np.float32(1e-6)
# The bias sees every example; at full pace it would chase the order of the last few.
_BIAS_PACE: Final = np.float32(0.02)


@vector_kernel
def score_rows(
    rows: NDArray[np.int32],
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    logits: NDArray[np.float32],
) -> None:
    """logits[i] = bias + sum of values x weights[rows] of text i; shape (texts, stride)."""
    stride = weights.shape[1]
    for text in range(starts.size - 1):
        out = logits[text]
        for c in range(stride):
            out[c] = bias[c]
        for i in range(starts[text], starts[text + 1]):
            value = values[i]
            row = weights[rows[i]]
            for c in range(stride):
                out[c] += value * row[c]


@kernel
def normalise(logits: NDArray[np.float32], classes: int, scale: float) -> NDArray[np.float32]:
    """softmax(scale x logits[:, :classes]), row by row; shape (texts, classes)."""
    out = np.empty((logits.shape[0], classes), np.float32)
    factor = np.float32(scale)
    for text in range(logits.shape[0]):
        peak = logits[text, 0]
        for c in range(1, classes):
            peak = max(peak, logits[text, c])
        total = np.float32(0)
        for c in range(classes):
            value = np.exp(factor * (logits[text, c] - peak))
            out[text, c] = value
            total += value
        inverse = np.float32(1) / total
        for c in range(classes):
            out[text, c] *= inverse
    return out


@vector_kernel
def train_rows(
    rows: NDArray[np.int32],
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    labels: NDArray[np.int32],
    order: NDArray[np.int64],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    squares: NDArray[np.float32],
    bias_squares: NDArray[np.float32],
    classes: int,
    rate: float,
) -> None:
    """One AdaGrad step (Duchi et al. 2011) of the softmax loss per text of `order`, in place.

    The squared gradients are kept per row, not per weight: a third of the memory traffic and, on
    texts, as accurate. Columns from `classes` on are room for topics to come and stay zero.
    """
    stride = weights.shape[1]
    pace = np.float32(rate)
    error = np.zeros(stride, np.float32)
    for at in range(order.size):
        text = order[at]
        for c in range(stride):
            error[c] = bias[c]
        for i in range(starts[text], starts[text + 1]):
            row = weights[rows[i]]
            for c in range(stride):
                error[c] += values[i] * row[c]
        size = _softmax_error(error, classes, labels[text])
        if size < _LEARNED:
            continue
        for c in range(classes):
            bias_squares[c] += error[c] * error[c]
            bias[c] -= _BIAS_PACE * pace * error[c] / np.sqrt(bias_squares[c] + np.float32(1e-3))
        for i in range(starts[text], starts[text + 1]):
            value = values[i]
            squares[rows[i]] += value * value * size
            step = pace * value / np.sqrt(squares[rows[i]] + _HEAD_START)
            row = weights[rows[i]]
            for c in range(stride):
                row[c] -= step * error[c]


@kernel
def _softmax_error(scores: NDArray[np.float32], classes: int, label: int) -> np.float32:
    """Scores become softmax minus one-hot; returns the squared length of that."""
    peak = scores[0]
    for c in range(1, classes):
        peak = max(peak, scores[c])
    total = np.float32(0)
    for c in range(classes):
        scores[c] = np.exp(scores[c] - peak)
        total += scores[c]
    size = np.float32(0)
    for c in range(classes):
        scores[c] /= total
        if c == label:
            scores[c] -= np.float32(1)
        size += scores[c] * scores[c]
    for c in range(classes, scores.size):
        scores[c] = np.float32(0)
    return size
