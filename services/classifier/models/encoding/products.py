"""Matrix products in which a row gets the same bits wherever it stands, and among however many."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Rows of one product: enough for BLAS to be at its best, few enough for the cache; smaller ones for
# what does not fill it. Multiples of twelve, because the AVX2 kernels take so many rows at a time
# and round the rest in another way.
TILE: Final = 384
SIZES: Final = (12, 24, 36, 48, 72, 96, 144, 192, 240, 288, 336, TILE)
# Columns of one panel at most, and unused ones at either side of it. OpenBLAS multiplies blocks of
# 320 columns; its AVX2 kernels round the first and last eight of a block by another order in every
# second half dozen of rows. A panel is a block of its own, and nobody reads its edges.
_PANEL: Final = 256
_MARGIN: Final = 8


class Product:
    """x @ matrix, by panels of columns."""

    def __init__(self, matrix: Array, width: int, margin: int) -> None:
        """matrix: shape (inputs, columns); width: columns of a panel, a divisor of `columns`."""
        self.inputs, columns = matrix.shape
        self.margin = margin
        panels = matrix.reshape(self.inputs, columns // width, width).transpose(1, 0, 2)
        self._panels: Array = np.ascontiguousarray(
            np.pad(panels, ((0, 0), (0, 0), (margin, margin)))
        )

    def __call__(self, x: Array) -> Array:
        """Shape (rows, columns)."""
        wide: Array = np.matmul(x, self._panels)
        inner = wide[:, :, self.margin : wide.shape[2] - self.margin]
        return inner.transpose(1, 0, 2).reshape(len(x), -1)

    def panels(self, x: Array, scratch: Array) -> Array:
        """Shape (panels, rows, margin + width + margin), in `scratch`, which is flat."""
        count, _, width = self._panels.shape
        out = scratch[: count * len(x) * width].reshape(count, len(x), width)
        np.matmul(x, self._panels, out=out)
        return out


def whole(matrix: Array, margin: int) -> Product:
    """A product in as few panels as its margins allow: in one where there are none."""
    columns = matrix.shape[1]
    count = -(-columns // _PANEL) if margin else 1
    while columns % count:
        count += 1
    return Product(matrix, columns // count, margin)


def steadiest(make: Callable[[int], Any], listed: Callable[[Any], Sequence[Product]]) -> Any:
    """What `make` builds without margins if all rows agree then, else with them if more do."""
    plain = make(0)
    agreeing = len(admissible(listed(plain), ())[1])
    if agreeing == TILE:
        return plain
    edged = make(_MARGIN)
    return edged if len(admissible(listed(edged), ())[1]) > agreeing else plain


def admissible(
    products: Sequence[Product], sizes: Sequence[int] = SIZES
) -> tuple[tuple[int, ...], NDArray[np.int32]]:
    """Which of `sizes`, and which rows of TILE, give every row the same bits in all products.

    Found by multiplying equal rows: which kernel BLAS takes is known only to itself.
    """
    row = np.random.default_rng(0).standard_normal(max(p.inputs for p in products), np.float32)
    agreed = np.ones(TILE, np.bool_)
    expected = []
    for product in products:
        found = product(np.tile(row[: product.inputs], (TILE, 1)))
        expected.append(found[0])
        agreed &= (found == found[0]).all(axis=1)
    kept = []
    for size in sizes:
        same = np.ones(size, np.bool_)
        for product, bits in zip(products, expected, strict=True):
            same &= (product(np.tile(row[: product.inputs], (size, 1))) == bits).all(axis=1)
        if np.array_equal(same, agreed[:size]):
            kept.append(size)
    return tuple(kept), np.flatnonzero(agreed).astype(np.int32)
