"""Calibration: how much each expert's logits count, so that probabilities mean what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# A weak pull towards each expert's given weight: a hold-out of a few dozen texts must not decide
# alone, one of a thousand outvotes it.
_PRIOR_TEXTS: Final = 2.0
_LEAST, _MOST = 0.0, 20.0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Texts the experts had not learned when they scored them: what stacking is judged on."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int32]
    logits: Array


def expert_weights(
    logits: Sequence[Array], labels: NDArray[np.int32], expected: Sequence[float]
) -> list[float]:
    """Weights w minimising the negative log-likelihood of softmax(sum of w_k logits_k).

    One expert gives temperature scaling (Guo et al. 2017, w = 1 / T), several a product of experts
    with its temperature. Shapes: logits (texts, classes) each, labels (texts,). The weights are in
    the same order; with no hold-out they are `expected`.
    """
    if len(labels) == 0:
        return [float(weight) for weight in expected]
    stack = np.stack([z - z.max(axis=1, keepdims=True) for z in logits]).astype(np.float64)
    truth = stack[:, np.arange(len(labels)), labels]
    centre = np.asarray(expected, np.float64)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mixed = np.tensordot(weights, stack, 1)
        peak = mixed.max(axis=1, keepdims=True)
        share = np.exp(mixed - peak)
        total = share.sum(axis=1, keepdims=True)
        share /= total
        likelihood = weights @ truth - (peak + np.log(total))[:, 0]
        expectation = np.einsum("tc,ktc->kt", share, stack)
        pull = np.log(np.maximum(weights, 1e-3) / centre)
        value = -likelihood.sum() + _PRIOR_TEXTS * (pull**2).sum()
        slope = (expectation - truth).sum(axis=1)
        slope = slope + np.where(
            weights > 1e-3, 2 * _PRIOR_TEXTS * pull / np.maximum(weights, 1e-3), 0.0
        )
        return float(value), slope

    # Only training and second looks need it; others are to do without: .3 to 1 s and 36 MB.
    from scipy.optimize import minimize  # noqa: PLC0415

    found = minimize(
        loss, centre, jac=True, method="L-BFGS-B", bounds=[(_LEAST, _MOST)] * len(expected)
    )
    return [float(weight) for weight in found.x]


def sharpness(logits: Array, labels: NDArray[np.int32], weights: NDArray[np.float64]) -> float:
    """The factor on logits, 1 / temperature, that minimises the weighted negative log-likelihood.

    Shapes: logits (texts, classes), labels and weights (texts,); between a fifth and five, and 1
    where there is nothing to tell from.
    """
    if not len(labels) or not weights.sum():
        return 1.0
    shifted = (logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    truth = shifted[np.arange(len(labels)), labels]

    def loss(exponent: float) -> float:
        by = float(np.exp(exponent))
        rows = np.log(np.exp(by * shifted).sum(axis=1)) - by * truth
        return float(weights @ rows) + _PRIOR_TEXTS * exponent**2

    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - as in `expert_weights`

    found = minimize_scalar(loss, bounds=(-np.log(5.0), np.log(5.0)), method="bounded")
    return float(np.exp(found.x))


def log_loss(logits: Array, labels: NDArray[np.int32]) -> float:
    """Mean negative log-likelihood of softmax(logits)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(total - shifted[np.arange(len(labels)), labels]))


def holdout(labels: Sequence[str], share: float, seed: int) -> NDArray[np.bool_]:
    """Which texts to hold out: `share` of each class, none of a class with fewer than four."""
    rng = np.random.default_rng(seed)
    out = np.zeros(len(labels), np.bool_)
    names = np.asarray(labels, dtype=object)
    order = rng.permutation(len(labels))
    groups: dict[str, list[int]] = {}
    for i in order.tolist():
        groups.setdefault(names[i], []).append(i)
    for members in groups.values():
        if len(members) >= 4:
            out[members[: max(1, round(share * len(members)))]] = True
    return out
