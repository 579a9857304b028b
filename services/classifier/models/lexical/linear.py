"""A linear softmax head over sparse rows, trained by AdaGrad, whose classes grow as it learns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import kernel
from services.classifier.models.lexical.packing import LEARNED_AT_ONCE, runs
from services.classifier.models.lexical.softmax import score_rows, train_rows
from services.classifier.models.lexical.vocabulary import Features, Vocabulary

# Vector registers hold 16 floats; the columns this leaves unused are room for topics to come.
_LANE: Final = 16
RATE: Final = 2.0
# A single correction has to count at once.
CORRECTION_RATE: Final = 8.0
# Floats that weights may grow to where they are: pages nobody has written to are no memory, and to
# write 40 MB of new ones takes up to a tenth of a second.
_RESERVED: Final = 12 << 20


class LinearHead:
    """Weights of shape (rows, stride); columns from len(classes) on stay zero until named."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self._size = 0
        self._squares = np.zeros(0, np.float32)
        self._shared = False
        self._reset(0, _LANE)

    @property
    def rows(self) -> int:
        """How many feature rows the head knows."""
        return self._size

    def reset(self, classes: list[str], rows: int) -> None:
        """Forget every weight; keep room for `rows` features and these classes."""
        self.classes = list(classes)
        self._reset(rows, -(-max(len(classes), 1) // _LANE) * _LANE)

    def column(self, label: str) -> int:
        """Column of a class, made if it is new."""
        if label not in self.classes:
            self.classes.append(label)
            if len(self.classes) > self.stride:
                self._widen(self.next_stride)
            # As if it had been predicted as rarely as the rarest: a new topic starts from nothing.
            known = self._bias[: len(self.classes) - 1]
            self._bias[len(self.classes) - 1] = known.min() if known.size else 0.0
        return self.classes.index(label)

    @property
    def next_stride(self) -> int:
        """Columns there will be room for once there is none left."""
        more = self.stride + max(_LANE, self.stride // 8)
        return -(-more // _LANE) * _LANE

    def lengthen(self, rows: int) -> None:
        """Room for `rows` features, new ones of weight zero."""
        if rows > len(self._weights):
            more = rows + rows // 8 - len(self._weights)
            self._resize(len(self._weights) + more, self.stride, np.arange(self._size))
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

    def train_on(  # noqa: PLR0917 - as `train`
        self,
        vocabulary: Vocabulary,
        texts: Sequence[str],
        labels: NDArray[np.int32],
        order: NDArray[np.int64],
        epochs: int,
        rng: np.random.Generator,
        rate: float = RATE,
    ) -> None:
        """As `train`, bit for bit, holding the features of a few texts at a time."""
        for _ in range(epochs):
            shuffled = rng.permutation(order)
            shown = [texts[i] for i in shuffled.tolist()]
            for run in runs(shown, LEARNED_AT_ONCE):
                features = vocabulary.features(shown[run])
                self.step(features, labels[shuffled[run]], np.arange(len(features)), rate)

    def step(
        self,
        features: Features,
        labels: NDArray[np.int32],
        order: NDArray[np.int64],
        rate: float,
    ) -> None:
        """One AdaGrad step for each text of `order`, in that order."""
        self._own()
        train_rows(
            features.rows, features.values, features.starts, labels, order, self._weights,
            self._bias, self._squares, self._bias_squares, len(self.classes), rate,
        )  # fmt: skip

    def favour(self, label: str, by: float) -> None:
        """Add `by` to every logit of a class."""
        self._bias[self.classes.index(label)] += np.float32(by)

    def fork(self) -> "LinearHead":
        """A head of its own with the same weights, copied by whichever of the two learns first."""
        twin = LinearHead()
        twin.classes, twin._size = list(self.classes), self._size
        twin._room, twin._weights = self._room, self._weights
        twin._squares = self._squares.copy()
        twin._bias, twin._bias_squares = self._bias.copy(), self._bias_squares.copy()
        self._shared = twin._shared = True
        return twin

    def select(self, rows: NDArray[np.int64]) -> None:
        """Keep these rows only, renumbered in their order."""
        self._resize(len(rows), self.stride, rows)
        self._squares = self._squares[rows]
        self._size = len(rows)

    @property
    def stride(self) -> int:
        """Columns there is room for."""
        return self._weights.shape[1]

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Arrays that `restore` takes back; they are the head's own until it learns again."""
        return {
            "weights": self._weights[: self._size],
            "squares": self._squares[: self._size],
            "bias": self._bias,
            "bias_squares": self._bias_squares,
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
        self._reset(len(weights), stride)
        self._weights[:] = weights
        self._squares = np.array(state["squares"], np.float32)
        self._bias = np.array(state["bias"], np.float32)
        self._bias_squares = np.array(state["bias_squares"], np.float32)

    def __getstate__(self) -> dict[str, Any]:
        return {"classes": list(self.classes), **self.state()}  # and not the room to grow

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.restore(state["classes"], state)

    def _reset(self, rows: int, stride: int) -> None:
        self._size = rows
        self._allocate(rows, stride)
        self._squares = np.zeros(rows, np.float32)
        self._bias = np.zeros(stride, np.float32)
        self._bias_squares = np.zeros(stride, np.float32)

    def _allocate(self, rows: int, stride: int) -> None:
        """Weights of zero, with room to grow."""
        room = np.zeros(max(rows * stride, _RESERVED) + _LANE, np.float32)
        # Rows begin where cache lines do: else every register of weights comes from two of them.
        self._room = room[-room.ctypes.data % (4 * _LANE) // 4 :]
        self._weights = self._room[: rows * stride].reshape(rows, stride)
        self._shared = False

    def _own(self) -> None:
        """Stop sharing weights, before the first change of any."""
        if self._shared:
            self._resize(len(self._weights), self.stride, np.arange(self._size))

    def _widen(self, stride: int) -> None:
        def wider(old: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.concatenate([old, np.zeros(stride - len(old), np.float32)])

        self._resize(len(self._weights), stride, np.arange(self._size))
        self._bias, self._bias_squares = wider(self._bias), wider(self._bias_squares)

    def _resize(self, rows: int, stride: int, kept: NDArray[np.int64]) -> None:
        """Weights of this shape: `kept` rows, then zeros; where they are unless they are shared."""
        old = self._weights
        if self._shared or rows * stride > len(self._room):
            self._allocate(rows, stride)
            copy_rows(old, kept, self._weights)
            return
        move_rows(self._room, kept, old.shape[1], stride)
        self._room[len(kept) * stride : old.size] = 0
        self._weights = self._room[: rows * stride].reshape(rows, stride)


@kernel
def copy_rows(old: NDArray[np.float32], kept: NDArray[np.int64], new: NDArray[np.float32]) -> None:
    """new[i] = old[kept[i]], as far as it is wide."""
    for i in range(kept.size):
        new[i, : old.shape[1]] = old[kept[i]]


@kernel
def move_rows(room: NDArray[np.float32], kept: NDArray[np.int64], old: int, new: int) -> None:
    """Rows of `old` columns at the front of `room` become rows of `new`, and row kept[i] row i.

    kept: ascending; new: at least `old`.
    """
    for i in range(kept.size):
        if kept[i] > i:
            room[i * old : (i + 1) * old] = room[kept[i] * old : (kept[i] + 1) * old]
    if new == old:
        return
    row = np.empty(old, np.float32)
    for i in range(kept.size - 1, -1, -1):  # the last first: it moves furthest
        row[:] = room[i * old : (i + 1) * old]
        room[i * new : i * new + old] = row
        room[i * new + old : (i + 1) * new] = 0


def columns(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.int32]:
    """Column of each label in `classes`, shape (labels,)."""
    column = {name: i for i, name in enumerate(classes)}
    return np.fromiter((column[name] for name in labels), np.int32, len(labels))
