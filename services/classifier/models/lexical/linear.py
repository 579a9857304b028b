"""A linear softmax head over sparse rows, trained by AdaGrad, whose classes grow as it learns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.lexical.softmax import score_rows, train_rows
from services.classifier.models.lexical.vocabulary import Features

# Vector registers hold 16 floats; the columns this leaves unused are room for topics to come.
_LANE: Final = 16
RATE: Final = 2.0
# A single correction has to count at once.
CORRECTION_RATE: Final = 8.0


class LinearHead:
    """Weights of shape (rows, stride); columns from len(classes) on stay zero until named."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self._size = 0
        self._weights = np.zeros((0, _LANE), np.float32)
        self._squares = np.zeros(0, np.float32)
        self._bias = np.zeros(_LANE, np.float32)
        self._bias_squares = np.zeros(_LANE, np.float32)

    @property
    def rows(self) -> int:
        """How many feature rows the head knows."""
        return self._size

    def reset(self, classes: list[str], rows: int) -> None:
        """Forget every weight; keep room for `rows` features and these classes."""
        stride = -(-max(len(classes), 1) // _LANE) * _LANE
        self.classes = list(classes)
        self._size = rows
        self._weights = np.zeros((rows, stride), np.float32)
        self._squares = np.zeros(rows, np.float32)
        self._bias = np.zeros(stride, np.float32)
        self._bias_squares = np.zeros(stride, np.float32)

    def column(self, label: str) -> int:
        """Column of a class, made if it is new."""
        if label not in self.classes:
            self.classes.append(label)
            if len(self.classes) > self._weights.shape[1]:
                more = self._weights.shape[1] + max(_LANE, self._weights.shape[1] // 4)
                self._widen(-(-more // _LANE) * _LANE)
            # As if it had been predicted as rarely as the rarest: a new topic starts from nothing.
            known = self._bias[: len(self.classes) - 1]
            self._bias[len(self.classes) - 1] = known.min() if known.size else 0.0
        return self.classes.index(label)

    def lengthen(self, rows: int) -> None:
        """Room for `rows` features, new ones of weight zero."""
        if rows > len(self._weights):
            more = rows + rows // 8 - len(self._weights)
            stride = self._weights.shape[1]
            self._weights = np.concatenate([self._weights, np.zeros((more, stride), np.float32)])
            self._squares = np.concatenate([self._squares, np.zeros(more, np.float32)])
        self._size = max(self._size, rows)

    def logits(self, features: Features) -> NDArray[np.float32]:
        """Shape (texts, stride); columns from len(classes) on mean nothing."""
        out = np.empty((len(features), self._weights.shape[1]), np.float32)
        score_rows(features.rows, features.values, features.starts, self._weights, self._bias, out)
        return out

    def train(  # noqa: PLR0917 - what to learn, how long, and who is told
        self,
        features: Features,
        labels: NDArray[np.int32],
        order: NDArray[np.int64],
        epochs: int,
        rng: np.random.Generator,
        after: Callable[[int], bool] | None = None,
    ) -> None:
        """`epochs` passes over `order`, shuffled; `after(epoch)` may end them by False."""
        for epoch in range(epochs):
            self.step(features, labels, rng.permutation(order), RATE)
            if after is not None and not after(epoch):
                return

    def step(
        self,
        features: Features,
        labels: NDArray[np.int32],
        order: NDArray[np.int64],
        rate: float,
    ) -> None:
        """One AdaGrad step for each text of `order`, in that order."""
        train_rows(
            features.rows, features.values, features.starts, labels, order, self._weights,
            self._bias, self._squares, self._bias_squares, len(self.classes), rate,
        )  # fmt: skip

    def contributions(self, features: Features, column: int) -> NDArray[np.float32]:
        """What each row of the one text of `features` adds to the logit of a class."""
        weights: NDArray[np.float32] = self._weights[features.rows, column] * features.values
        return weights

    def copy(self) -> "LinearHead":
        """A head of its own with the same weights."""
        twin = LinearHead()
        twin.restore(self.classes, self.state())
        return twin

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Arrays that `restore` takes back."""
        return {
            "weights": self._weights[: self._size].copy(),
            "squares": self._squares[: self._size].copy(),
            "bias": self._bias.copy(),
            "bias_squares": self._bias_squares.copy(),
        }

    def restore(self, classes: list[str], state: Mapping[str, NDArray[np.float32]]) -> None:
        """Take the state of a saved head. Raises ValueError when shapes do not agree."""
        weights = state["weights"]
        stride = weights.shape[1]
        if len(classes) > stride or any(len(state[k]) != stride for k in ("bias", "bias_squares")):
            raise ValueError("the saved head's arrays do not agree with its classes")
        if len(state["squares"]) != len(weights):
            raise ValueError("the saved head's arrays do not agree with each other")
        self.classes = list(classes)
        self._size = len(weights)
        self._weights = np.ascontiguousarray(weights, np.float32).copy()
        self._squares = np.array(state["squares"], np.float32)
        self._bias = np.array(state["bias"], np.float32)
        self._bias_squares = np.array(state["bias_squares"], np.float32)

    def _widen(self, stride: int) -> None:
        def wider(old: NDArray[np.float32]) -> NDArray[np.float32]:
            new = np.zeros((*old.shape[:-1], stride), np.float32)
            new[..., : old.shape[-1]] = old
            return new

        self._weights = wider(self._weights)
        self._bias = wider(self._bias)
        self._bias_squares = wider(self._bias_squares)


def columns(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.int32]:
    """Column of each label in `classes`, shape (labels,)."""
    column = {name: i for i, name in enumerate(classes)}
    return np.fromiter((column[name] for name in labels), np.int32, len(labels))
