"""The encoder's network: cached first layer, two convolutions of three orders, sentence layers."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.encoding.carrier import EMBEDDING, PieceTable
from services.classifier.models.encoding.convolutions import (
    dequantise,
    first_layer,
    normalise_rows,
    sum_tokens,
    unit_rows,
    windows,
)
from services.classifier.models.products import Product

Array = NDArray[np.float32]

# (tokens of the window, of them left of the centre)
_ORDERS: Final = ((2, 0), (3, 1), (5, 2))
_TAPS: Final = 10
_WIDTH: Final = 256
# 13 kB a piece; a language's tickets use 1,500 to 5,000 pieces over and over.
_CACHED_PIECES: Final = 4096
# Tokens, or texts, that are worked on at a time: few enough for the cache.
TILE: Final = 384


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights: matrices as products, which hold the only copy of them."""

    scale: Array
    low: Array
    projection: Product
    projection_bias: Array
    projection_gain: Array
    projection_shift: Array
    first: tuple[Product, ...]
    first_bias: Array
    second: tuple[Product, ...]
    gain: Array
    shift: Array
    pooled: Product
    pooled_bias: Array
    dense: tuple[Product, ...]
    skips: tuple[Product, ...]
    eps: float

    @classmethod
    def load(cls, path: Path) -> "Weights":
        """Read the carrier's archive (without its piece table, see `carrier.piece_table`)."""
        with np.load(path, allow_pickle=False) as z:
            return cls(
                scale=z["scale"],
                low=z["lo"],
                projection=Product(*(z[f"proj{n}"] for n, _ in _ORDERS)),
                projection_bias=np.concatenate([z[f"proj_b{n}"] for n, _ in _ORDERS]),
                projection_gain=np.concatenate([z[f"ln_g{n}"] for n, _ in _ORDERS]),
                projection_shift=np.concatenate([z[f"ln_b{n}"] for n, _ in _ORDERS]),
                first=tuple(Product(_taps_beside(z[f"w1_{n}"], n)) for n, _ in _ORDERS),
                first_bias=np.stack([z[f"b1_{n}"] for n, _ in _ORDERS]),
                second=tuple(Product(z[f"w2_{n}"], bias=z[f"b2_{n}"]) for n, _ in _ORDERS),
                gain=z["ln_g"],
                shift=z["ln_b"],
                pooled=Product(z["cnn_W"]),
                pooled_bias=z["cnn_b"],
                dense=tuple(Product(z[name]) for name in ("d0", "d1", "d2", "d3")),
                skips=tuple(Product(z[name]) for name in ("p1", "p3")),
                eps=float(z["eps"]),
            )


def _taps_beside(weights: Array, order: int) -> Array:
    """(order x 256, 256), taps stacked, to (256, order x 256), taps side by side.

    Multiplying each piece once by all taps lets the product be cached per piece.
    """
    taps = weights.reshape(order, _WIDTH, _WIDTH)
    return np.concatenate(list(taps), axis=1)


class _Buffers(threading.local):
    """Scratch of one thread, for one tile: 5 MB. Row TILE of `first` stays zero."""

    def __init__(self) -> None:
        self.first = np.zeros((3, TILE + 1, _WIDTH), np.float32)
        self.second = np.zeros((3, TILE, _WIDTH), np.float32)
        self.sums = np.zeros((TILE, 1280), np.float32)
        self.raw = np.zeros((TILE, 512), np.float32)


class SentenceNetwork:
    """Forward pass. Safe from several threads: scratch is per thread, the piece cache locked."""

    def __init__(self, weights: Weights, table: PieceTable) -> None:
        self._w = weights
        self._table = table
        self._lock = threading.Lock()
        self._rows = np.full(len(table), -1, np.int32)
        self.forget()

    def forget(self) -> None:
        """Empty the piece cache, whose pages are memory once they are written to, and scratch."""
        with self._lock:
            self._buffers = _Buffers()
            self._rows[:] = -1
            self._used = 0
            self._codes = np.zeros((_CACHED_PIECES, EMBEDDING), np.uint8)
            self._inputs = np.zeros((_CACHED_PIECES, 3 * _WIDTH), np.float32)
            self._partial = np.zeros((_CACHED_PIECES, _TAPS * _WIDTH), np.float32)

    def forward(self, ids: Sequence[Sequence[int]]) -> tuple[Array, Array]:
        """Vectors of texts given as piece ids, and means of their piece embeddings.

        At most TILE texts of at most TILE pieces each.
        """
        lengths = np.fromiter(map(len, ids), np.int32, len(ids))
        buffers = self._buffers  # to the end, whatever is forgotten meanwhile
        for first, behind in _tiles(lengths.tolist()):
            self._sum_tile(ids[first:behind], first, buffers)
        return self._sentences(buffers.sums, lengths), buffers.raw[: len(ids)].copy()

    def _sum_tile(self, ids: Sequence[Sequence[int]], first: int, buffers: _Buffers) -> None:
        """Token sums of the texts of one tile into the buffers' rows from `first` on."""
        lengths = np.fromiter(map(len, ids), np.int32, len(ids))
        pieces = np.fromiter((p for text in ids for p in text), np.int32, int(lengths.sum()))
        ends = np.repeat(np.cumsum(lengths, dtype=np.int32), lengths)
        begins = ends - np.repeat(lengths, lengths)
        w = self._w
        with self._lock:
            cached = self._cached(pieces)
            first_layer(
                cached, begins, ends, self._inputs, self._partial, w.first_bias, buffers.first
            )
            codes = self._codes[cached]
        for branch, (order, left) in enumerate(_ORDERS):
            around = np.empty((len(pieces), order), np.int32)
            windows(begins, ends, order, left, TILE, around)
            w.second[branch].windows(buffers.first[branch], around, buffers.second[branch])
        sum_tokens(
            pieces, begins, ends, codes, w.scale, w.low, buffers.first, buffers.second,
            w.gain, w.shift, w.eps, buffers.sums[first:], buffers.raw[first:],
        )  # fmt: skip

    def _sentences(self, sums: Array, lengths: NDArray[np.int32]) -> Array:
        w = self._w
        counts = lengths.astype(np.float32)[:, None]
        x = w.pooled(sums[: len(lengths)])
        x += counts * w.pooled_bias
        x *= np.reciprocal(np.sqrt(counts))
        d0, d1, d2, d3 = w.dense
        p1, p3 = w.skips
        y = np.maximum(p1(x) + d1(np.maximum(d0(x), 0)), 0)
        z: Array = np.tanh(p3(y) + d3(np.maximum(d2(y), 0)), dtype=np.float32)
        unit_rows(z, w.eps)
        return z

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
            self._fill(missing)
        places: NDArray[np.int32] = self._rows[pieces]
        return places

    def _fill(self, missing: NDArray[np.int32]) -> None:
        """The next rows of the cache get what is computed of these pieces."""
        w = self._w
        rows = slice(self._used, self._used + len(missing))
        self._table.read(missing, self._codes[rows])
        raw = np.empty((len(missing), EMBEDDING), np.float32)
        dequantise(missing, self._codes[rows], w.scale, w.low, raw)
        x = w.projection(raw)
        normalise_rows(x, w.projection_bias, w.projection_gain, w.projection_shift, w.eps)
        self._inputs[rows] = x
        tap = 0
        for branch, (order, _) in enumerate(_ORDERS):
            part = np.ascontiguousarray(x[:, branch * _WIDTH : (branch + 1) * _WIDTH])
            columns = slice(tap * _WIDTH, (tap + order) * _WIDTH)
            self._partial[rows, columns] = w.first[branch](part)
            tap += order
        self._rows[missing] = np.arange(rows.start, rows.stop)
        self._used = rows.stop


def _tiles(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges of texts whose tokens fit into one tile each."""
    tiles = []
    first = total = 0
    for i, length in enumerate(lengths):
        if i > first and total + length > TILE:
            tiles.append((first, i))
            first, total = i, 0
        total += length
    if first < len(lengths):
        tiles.append((first, len(lengths)))
    return tiles
