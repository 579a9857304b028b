"""Products with matrices of int8 in which a row gets the same bits among however many others."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import kernel
from services.classifier.models.lanes import LANES, fused, load, load_codes, spread, store

Array = NDArray[np.float32]
Codes = NDArray[np.int8]
Rows = NDArray[np.int32]

# Columns of a panel: with six rows at a time, twelve registers of sums.
PANEL: Final = 2 * LANES
_LARGEST: Final = 127.0


def quantised(vectors: Array) -> tuple[Codes, Array]:
    """Each row as int8 codes x its scale: codes like `vectors`, scales of shape (rows,)."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / _LARGEST
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


class Product:
    """x @ matrix + bias for few rows or many, of a matrix that is int8 times a scale.

    The matrix is kept in the order in which it is read. BLAS puts it in order at every call, which
    for three rows costs more than the product, and rounds a row by where it stands and among how
    many.
    """

    def __init__(self, *parts: Array, bias: Array | None = None) -> None:
        """parts: what stands beside each other in the matrix, each with a scale of its own.

        Shapes (inputs, columns), columns a multiple of 32; bias: shape (all columns,). Raises
        ValueError where a part is not exactly int8 times a scale.
        """
        found = [_codes(part) for part in parts]
        codes = np.concatenate([each for each, _ in found], axis=1)
        inputs, columns = codes.shape
        panels = codes.reshape(inputs, columns // PANEL, PANEL).transpose(1, 0, 2)
        self._panels: Codes = np.ascontiguousarray(panels)
        self._scales = np.concatenate(
            [np.full(c.shape[1], scale, np.float32) for c, scale in found]
        )
        self._bias = np.zeros(columns, np.float32) if bias is None else np.ascontiguousarray(bias)

    def __call__(self, x: Array) -> Array:
        """Shape (rows, columns)."""
        out = np.empty((len(x), len(self._bias)), np.float32)
        self.windows(x, np.arange(len(x), dtype=np.int32)[:, None], out)
        return out

    def windows(self, x: Array, rows: Rows, out: Array) -> None:
        """out[i] = the product of [x[rows[i, 0]] | x[rows[i, 1]] | ...]; rows (count, taps)."""
        multiply(x, rows, self._panels, self._scales, self._bias, out)


def _codes(matrix: Array) -> tuple[Codes, np.float32]:
    """Whole numbers and the scale that make up the matrix, exactly."""
    exact = matrix.astype(np.float64)
    codes = np.rint(exact * (_LARGEST / max(np.abs(exact).max(), 1e-30)))
    scale = np.float32(np.vdot(exact, codes) / max(np.vdot(codes, codes), 1.0))
    if not np.array_equal(codes.astype(np.float32) * scale, matrix):
        raise ValueError("the matrix has other values than whole numbers times one scale")
    return codes.astype(np.int8), scale


@kernel
def multiply(  # noqa: PLR0917 - kernels take arrays, and numba no keyword-only parameters
    x: Array, rows: Rows, panels: Codes, scales: Array, bias: Array, out: Array
) -> None:
    """out[i] = bias + scales x sum of codes x [x[rows[i, 0]] | x[rows[i, 1]] | ...].

    x (any, depth), rows (count, taps), panels (columns / PANEL, taps x depth, PANEL), scales and
    bias (columns,), out (count or more, columns); all contiguous. Six rows at a time; where fewer
    are left, the last one is multiplied again.
    """
    (count, taps), columns = rows.shape, bias.size
    last, outs = count - 1, out.reshape(-1)
    for p in range(panels.shape[0]):
        panel = panels[p].reshape(-1)
        for i in range(0, count, 6):
            i1, i2, i3 = min(i + 1, last), min(i + 2, last), min(i + 3, last)
            i4, i5 = min(i + 4, last), min(i + 5, last)
            a0 = a1 = a2 = a3 = a4 = a5 = spread(np.float32(0))
            b0 = b1 = b2 = b3 = b4 = b5 = spread(np.float32(0))
            at = 0
            for j in range(taps):
                x0, x1, x2 = x[rows[i, j]], x[rows[i1, j]], x[rows[i2, j]]
                x3, x4, x5 = x[rows[i3, j]], x[rows[i4, j]], x[rows[i5, j]]
                for k in range(x.shape[1]):
                    m, n = load_codes(panel, at), load_codes(panel, at + LANES)
                    at += PANEL
                    a0, b0 = fused(a0, m, spread(x0[k])), fused(b0, n, spread(x0[k]))
                    a1, b1 = fused(a1, m, spread(x1[k])), fused(b1, n, spread(x1[k]))
                    a2, b2 = fused(a2, m, spread(x2[k])), fused(b2, n, spread(x2[k]))
                    a3, b3 = fused(a3, m, spread(x3[k])), fused(b3, n, spread(x3[k]))
                    a4, b4 = fused(a4, m, spread(x4[k])), fused(b4, n, spread(x4[k]))
                    a5, b5 = fused(a5, m, spread(x5[k])), fused(b5, n, spread(x5[k]))
            for each, a, b in (
                (i, a0, b0), (i1, a1, b1), (i2, a2, b2), (i3, a3, b3), (i4, a4, b4), (i5, a5, b5)
            ):  # fmt: skip
                for half, total in ((p * PANEL, a), (p * PANEL + LANES, b)):
                    found = fused(load(bias, half), total, load(scales, half))
                    store(outs, each * columns + half, found)
