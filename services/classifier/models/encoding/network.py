"""The encoder's network: cached first layer, two convolutions of three orders, sentence layers."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.encoding.convolutions import (
    dequantise,
    first_layer,
    normalise_rows,
    second_layer,
    sum_tokens,
    unit_rows,
)
from services.classifier.models.encoding.products import (
    TILE,
    Product,
    admissible,
    steadiest,
    whole,
)

Array = NDArray[np.float32]

# (tokens of the window, of them left of the centre)
_ORDERS: Final = ((2, 0), (3, 1), (5, 2))
_TAPS: Final = 10
_WIDTH: Final = 256
# 13 kB a piece; a language's tickets use 1,500 to 5,000 pieces over and over.
_CACHED_PIECES: Final = 4096


@dataclass(frozen=True, slots=True)
class Weights:
    """The small weights, arranged for the products below."""

    scale: Array
    low: Array
    projection: Array
    projection_bias: Array
    projection_gain: Array
    projection_shift: Array
    first: tuple[Array, ...]
    first_bias: Array
    second: tuple[Array, ...]
    second_bias: Array
    gain: Array
    shift: Array
    pooled: Array
    pooled_bias: Array
    dense: tuple[Array, ...]
    skips: tuple[Array, ...]
    eps: float

    @classmethod
    def load(cls, path: Path) -> "Weights":
        """Read the carrier's archive (without its piece table, see `carrier.mapped_table`)."""
        with np.load(path, allow_pickle=False) as z:
            return cls(
                scale=z["scale"],
                low=z["lo"],
                projection=np.concatenate([z[f"proj{n}"] for n, _ in _ORDERS], axis=1),
                projection_bias=np.concatenate([z[f"proj_b{n}"] for n, _ in _ORDERS]),
                projection_gain=np.concatenate([z[f"ln_g{n}"] for n, _ in _ORDERS]),
                projection_shift=np.concatenate([z[f"ln_b{n}"] for n, _ in _ORDERS]),
                first=tuple(_taps_beside(z[f"w1_{n}"], n) for n, _ in _ORDERS),
                first_bias=np.stack([z[f"b1_{n}"] for n, _ in _ORDERS]),
                second=tuple(_taps_beside(z[f"w2_{n}"], n) for n, _ in _ORDERS),
                second_bias=np.stack([z[f"b2_{n}"] for n, _ in _ORDERS]),
                gain=z["ln_g"],
                shift=z["ln_b"],
                pooled=z["cnn_W"],
                pooled_bias=z["cnn_b"],
                dense=(z["d0"], z["d1"], z["d2"], z["d3"]),
                skips=(z["p1"], z["p3"]),
                eps=float(z["eps"]),
            )


def _taps_beside(weights: Array, order: int) -> Array:
    """(order x 256, 256), taps stacked, to (256, order x 256), taps side by side.

    Multiplying each token once by all taps and adding shifted results needs no copy of the input
    per window, and for the first layer lets the product be cached per piece.
    """
    taps = weights.reshape(order, _WIDTH, _WIDTH)
    return np.ascontiguousarray(np.concatenate(list(taps), axis=1))


class _Products:
    """Every product of the network, in panels with margins of this many columns."""

    def __init__(self, w: Weights, margin: int) -> None:
        self.projection = whole(w.projection, margin)
        self.first = tuple(whole(taps, margin) for taps in w.first)
        self.second = tuple(Product(taps, _WIDTH, margin) for taps in w.second)
        self.pooled = whole(w.pooled, margin)
        self.dense = tuple(whole(each, margin) for each in w.dense)
        self.skips = tuple(whole(each, margin) for each in w.skips)
        self.margin = margin

    def all(self) -> list[Product]:
        return [
            self.projection, self.pooled, *self.first, *self.second, *self.dense, *self.skips,
        ]  # fmt: skip


class _Buffers(threading.local):
    """Scratch of one thread, for one tile: 7 MB."""

    def __init__(self, margin: int) -> None:
        self.first = np.zeros((3, TILE, _WIDTH), np.float32)
        self.second = np.zeros((3, TILE, _WIDTH), np.float32)
        self.partial = np.zeros(TILE * 5 * (_WIDTH + 2 * margin), np.float32)
        self.sums = np.zeros((TILE, 1280), np.float32)
        self.raw = np.zeros((TILE, 512), np.float32)


class SentenceNetwork:
    """Forward pass. Safe from several threads: scratch is per thread, the piece cache locked."""

    def __init__(self, weights: Weights, table: NDArray[np.uint8]) -> None:
        # The products hold their own copies of the matrices: 16 MB that nobody needs twice.
        none = np.zeros((0, 0), np.float32)
        self._w = replace(
            weights, projection=none, first=(), second=(), pooled=none, dense=(), skips=()
        )
        self._table = np.asarray(table)
        self._p: _Products = steadiest(lambda margin: _Products(weights, margin), _Products.all)
        self._buffers = _Buffers(self._p.margin)
        self._lock = threading.Lock()
        self._rows = np.full(len(table), -1, np.int32)
        self._used = 0
        self._inputs = np.zeros((_CACHED_PIECES, 3 * _WIDTH), np.float32)
        self._partial = np.zeros((_CACHED_PIECES, _TAPS * _WIDTH), np.float32)
        self._sizes, self._places = admissible(self._p.all())
        self.capacity = len(self._places)

    def forward(self, ids: Sequence[Sequence[int]]) -> tuple[Array, Array]:
        """Vectors of texts given as piece ids, and means of their piece embeddings.

        At most `capacity` texts of at most `capacity` pieces each.
        """
        lengths = np.fromiter(map(len, ids), np.int32, len(ids))
        for first, behind in _tiles(lengths.tolist(), self.capacity):
            self._sum_tile(ids[first:behind], first)
        return self._sentences(lengths), self._buffers.raw[self._places[: len(ids)]]

    def _sum_tile(self, ids: Sequence[Sequence[int]], first: int) -> None:
        """Token sums of the texts of one tile into the buffers' rows from `first` on."""
        lengths = np.fromiter(map(len, ids), np.int32, len(ids))
        pieces = np.fromiter((p for text in ids for p in text), np.int32, int(lengths.sum()))
        ends = np.repeat(np.cumsum(lengths, dtype=np.int32), lengths)
        begins = ends - np.repeat(lengths, lengths)
        buffers, w = self._buffers, self._w
        with self._lock:
            cached = self._cached(pieces)
            first_layer(
                cached, begins, ends, self._places, self._inputs, self._partial, w.first_bias,
                buffers.first,
            )  # fmt: skip
        for branch in range(len(_ORDERS)):
            self._convolve(branch, self._rows_of(len(pieces)), begins, ends)
        sum_tokens(
            pieces, begins, ends, self._table, w.scale, w.low, buffers.second, w.gain, w.shift,
            w.eps, buffers.sums, buffers.raw, self._places, first,
        )  # fmt: skip

    def _convolve(
        self, branch: int, rows: int, begins: NDArray[np.int32], ends: NDArray[np.int32]
    ) -> None:
        order, left = _ORDERS[branch]
        buffers, w = self._buffers, self._w
        partial = self._p.second[branch].panels(buffers.first[branch, :rows], buffers.partial)
        second_layer(
            begins, ends, self._places, buffers.first[branch], partial, w.second_bias[branch],
            order, left, self._p.margin, buffers.second[branch],
        )  # fmt: skip

    def _sentences(self, lengths: NDArray[np.int32]) -> Array:
        w, p = self._w, self._p
        places = self._places[: len(lengths)]
        counts = np.ones(self._rows_of(len(lengths)), np.float32)
        counts[places] = lengths
        x = p.pooled(self._buffers.sums[: len(counts)])
        x += counts[:, None] * w.pooled_bias
        x *= np.reciprocal(np.sqrt(counts))[:, None]
        d0, d1, d2, d3 = p.dense
        p1, p3 = p.skips
        y = np.maximum(p1(x) + d1(np.maximum(d0(x), 0)), 0)
        z: Array = np.tanh((p3(y) + d3(np.maximum(d2(y), 0)))[places], dtype=np.float32)
        unit_rows(z, w.eps)
        return z

    def _rows_of(self, count: int) -> int:
        """Rows of the product that holds `count` texts or tokens."""
        last = int(self._places[count - 1])
        return next(size for size in self._sizes if size > last)

    def _cached(self, pieces: NDArray[np.int32]) -> NDArray[np.int32]:
        """Cache rows of `pieces`, computing those not there. The lock is held."""
        missing = np.unique(pieces[self._rows[pieces] < 0])
        if len(missing):
            if self._used + len(missing) > _CACHED_PIECES:
                # Starting over costs some milliseconds once in thousands of new pieces; the
                # bookkeeping of anything cleverer would cost more on every token.
                self._rows[:] = -1
                self._used = 0
                missing = np.unique(pieces)
            rows = np.arange(self._used, self._used + len(missing), dtype=np.int32)
            for at in range(0, len(missing), self.capacity):
                part = slice(at, at + self.capacity)
                self._fill(missing[part], rows[part])
            self._rows[missing] = rows
            self._used += len(missing)
        places: NDArray[np.int32] = self._rows[pieces]
        return places

    def _fill(self, missing: NDArray[np.int32], rows: NDArray[np.int32]) -> None:
        w, p = self._w, self._p
        places = self._places[: len(missing)]
        raw = np.zeros((self._rows_of(len(missing)), 512), np.float32)
        dequantise(missing, self._table, w.scale, w.low, places, raw)
        x = p.projection(raw)
        normalise_rows(x, w.projection_bias, w.projection_gain, w.projection_shift, w.eps)
        self._inputs[rows] = x[places]
        tap = 0
        for branch, (order, _) in enumerate(_ORDERS):
            part = np.ascontiguousarray(x[:, branch * _WIDTH : (branch + 1) * _WIDTH])
            columns = slice(tap * _WIDTH, (tap + order) * _WIDTH)
            self._partial[rows, columns] = p.first[branch](part)[places]
            tap += order


def _tiles(lengths: Sequence[int], capacity: int) -> list[tuple[int, int]]:
    """Ranges of texts whose tokens fit into one tile each."""
    tiles = []
    first = total = 0
    for i, length in enumerate(lengths):
        if i > first and total + length > capacity:
            tiles.append((first, i))
            first, total = i, 0
        total += length
    if first < len(lengths):
        tiles.append((first, len(lengths)))
    return tiles
