"""Temperature scaling: probabilities that mean what they say."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# Beyond these a head is broken, not miscalibrated.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.02, 20.0
GOLDEN = (5.0**0.5 - 1.0) / 2.0


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row-wise, shape (rows, classes); safe for any finite logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted, dtype=np.float32)
    answer: NDArray[np.float32] = weights / weights.sum(axis=1, keepdims=True)
    return answer


def negative_log_likelihood(
    logits: NDArray[np.float32], codes: NDArray[np.int64], temperature: float
) -> float:
    """Mean over rows of -log softmax(logits / temperature)[code], in nats."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    log_norm = np.log(np.exp(scaled).sum(axis=1))
    return float(np.mean(log_norm - scaled[np.arange(len(codes)), codes]))


def fit_temperature(logits: NDArray[np.float32], codes: NDArray[np.int64]) -> float:
    """The temperature that minimises the log loss of a hold-out (Guo et al. 2017).

    logits: shape (rows, classes); codes: shape (rows,), the true column of each row.
    The loss is unimodal in log temperature, so a golden-section search finds the minimum.
    """
    if not len(codes):
        raise ValueError("a temperature needs at least one held-out row")

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logits, codes, float(np.exp(log_temperature)))

    return float(np.exp(_golden(loss, np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE))))


def _golden(loss: Callable[[float], float], low: float, high: float, steps: int = 32) -> float:
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(steps):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return (low + high) / 2.0
