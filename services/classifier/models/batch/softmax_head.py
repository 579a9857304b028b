"""A linear softmax head over sparse features, calibrated on a hold-out."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from services.classifier.domain.error_budget import Calibration
from services.classifier.domain.labelling import Probabilities
from services.classifier.models.calibration import expert_weights, holdout

HOLDOUT_SHARE = 0.1
# With fewer held-out rows the sharpness would be noise; 1 leaves the head as it was fitted.
MIN_HOLDOUT = 30
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the head answered for rows it had not seen, before it was fitted on all of them."""

    labels: tuple[str, ...]
    probabilities: Probabilities


class SoftmaxHead:
    """Multinomial logistic regression (L-BFGS), its logits scaled by a sharpness, 1/temperature."""

    def __init__(
        self, *, inverse_penalty: float = 10.0, max_iter: int = 100, seed: int = 0
    ) -> None:
        self._inverse_penalty = inverse_penalty
        self._max_iter = max_iter
        self._seed = seed
        self._classes: tuple[str, ...] = ()
        self._weights: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._bias: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._sharpness = 1.0
        self._calibration = Calibration()
        self.held_out: HeldOut | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the columns of every answer."""
        return self._classes

    def fit(self, features: sparse.csr_matrix, labels: Sequence[str], report: Report) -> None:
        """Fit on nine tenths, set the sharpness on the rest, then fit on everything.

        ValueError when fewer than two classes are given. `report` is told each step's name.
        """
        names = np.asarray(labels, dtype=object).astype(str)
        self._classes = tuple(str(name) for name in np.unique(names))
        if len(self._classes) < 2:
            found = f"only {self._classes[0]!r}" if self._classes else "none"
            raise ValueError(f"a classifier needs at least two classes; the labels hold {found}")
        model = LogisticRegression(
            C=self._inverse_penalty, max_iter=self._max_iter, tol=1e-4, warm_start=True
        )
        held = holdout(names.tolist(), HOLDOUT_SHARE, self._seed)
        if held.sum() >= MIN_HOLDOUT:
            report("fitting on nine tenths")
            self._learn(model, features[~held], names[~held])
            report("calibrating on the last tenth")
            self._calibrate(features[held], names[held])
        report("fitting on everything")
        self._learn(model, features, names)
        self._calibration = Calibration.of(self._classes, self.held_out_answers())

    def logits(self, features: sparse.csr_matrix) -> NDArray[np.float32]:
        """Shape (rows, classes), before the sharpness."""
        answer: NDArray[np.float32] = np.asarray(features @ self._weights) + self._bias
        return answer

    def probabilities(self, features: sparse.csr_matrix) -> Probabilities:
        """Shape (rows, classes), rows sum to 1."""
        return self._softmax(self.logits(features))

    def held_out_answers(self) -> tuple[tuple[str, ...], Probabilities] | None:
        """Labels and answers of the rows the sharpness was set on; None when there were too few."""
        held = self.held_out
        return None if held is None else (held.labels, held.probabilities)

    @property
    def calibration(self) -> Calibration:
        """The same reduced to what an error budget needs; kept when the head is saved."""
        return self._calibration

    def sharpen(self, by: float) -> None:
        """Multiply every logit: probabilities change, their order does not."""
        self._sharpness *= by
        if self.held_out is not None:
            shares = self.held_out.probabilities ** np.float32(by)
            shares /= shares.sum(axis=1, keepdims=True)
            self.held_out = HeldOut(self.held_out.labels, shares)
        self._calibration = Calibration.of(self._classes, self.held_out_answers())

    def state(self) -> dict[str, Any]:
        """Plain values and arrays, all that a prediction needs."""
        return {
            "classes": list(self._classes),
            "weights": self._weights,
            "bias": self._bias,
            "sharpness": self._sharpness,
            "calibration": self.calibration.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "SoftmaxHead":
        """The head that `state` described."""
        head = cls()
        head._classes = tuple(state["classes"])
        head._weights = np.asarray(state["weights"], dtype=np.float32)
        head._bias = np.asarray(state["bias"], dtype=np.float32)
        head._sharpness = float(state["sharpness"])
        head._calibration = Calibration.from_state(state.get("calibration"), head._classes)
        return head

    def _softmax(self, logits: NDArray[np.float32]) -> Probabilities:
        scaled = np.float32(self._sharpness) * (logits - logits.max(axis=1, keepdims=True))
        weights = np.exp(scaled, dtype=np.float32)
        answer: Probabilities = weights / weights.sum(axis=1, keepdims=True)
        return answer

    def _learn(
        self, model: LogisticRegression, features: sparse.csr_matrix, names: NDArray[np.str_]
    ) -> None:
        with warnings.catch_warnings():
            # The iterations are capped on purpose: the last ones cost minutes and change no label.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features, names)
        coefficients, intercept = model.coef_, model.intercept_
        if len(self._classes) == 2:
            # scikit-learn keeps one row for two classes: sigmoid(z) = softmax(-z/2, z/2)[1].
            coefficients = np.vstack([-coefficients, coefficients]) / 2.0
            intercept = np.concatenate([-intercept, intercept]) / 2.0
        self._weights = np.ascontiguousarray(coefficients.T, dtype=np.float32)
        self._bias = intercept.astype(np.float32)

    def _calibrate(self, features: sparse.csr_matrix, names: NDArray[np.str_]) -> None:
        logits = self.logits(features)
        codes = np.searchsorted(np.asarray(self._classes), names).astype(np.int32)
        (self._sharpness,) = expert_weights([logits], codes, [1.0])
        self.held_out = HeldOut(
            labels=tuple(str(name) for name in names),
            probabilities=self._softmax(logits),
        )
