"""Products whose rows agree to the last bit, whatever kernels BLAS takes on this processor."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.classifier.models.encoding.products import (
    SIZES,
    TILE,
    Product,
    admissible,
    steadiest,
    whole,
)

Array = NDArray[np.float32]


def drawn(*shape: int) -> Array:
    return np.random.default_rng(1).standard_normal(shape, np.float32)


@pytest.mark.parametrize("margin", [0, 8])
@pytest.mark.parametrize("columns", [256, 320, 512, 768])
def test_panels_make_up_the_product(columns: int, margin: int) -> None:
    x, matrix = drawn(24, 64), drawn(64, columns)
    found = whole(matrix, margin)(x)
    assert found.shape == (24, columns)
    assert np.allclose(found, x @ matrix, atol=1e-4)


@pytest.mark.parametrize("margin", [0, 8])
def test_a_panel_stands_between_its_margins(margin: int) -> None:
    x, matrix = drawn(12, 64), drawn(64, 512)
    scratch = np.zeros(2 * 12 * (256 + 2 * margin), np.float32)
    found = Product(matrix, 256, margin).panels(x, scratch)
    assert np.shares_memory(found, scratch)
    for panel in range(2):
        inner = found[panel, :, margin : margin + 256]
        assert np.allclose(inner, x @ matrix[:, 256 * panel : 256 * panel + 256], atol=1e-4)


def test_a_row_has_the_same_bits_in_every_admissible_place() -> None:
    product = steadiest(lambda margin: whole(drawn(256, 1280), margin), lambda each: [each])
    sizes, places = admissible([product])
    assert sizes
    row = np.random.default_rng(2).standard_normal(256, np.float32)
    others = np.random.default_rng(3).standard_normal((TILE, 256), np.float32)
    expected = None
    for size in sizes:
        for place in (each for each in places.tolist() if each < size):
            x = others[:size].copy()
            x[place] = row
            found = product(x)[place]
            expected = found if expected is None else expected
            assert np.array_equal(found, expected)


class Uneven(Product):
    """As on a kernel that rounds the last of every six rows in another way without margins."""

    def __call__(self, x: Array) -> Array:
        found = np.zeros((len(x), 4), np.float32)
        if not self.margin:
            found[5::6] += 1.0
        return found


def test_margins_are_taken_where_they_help() -> None:
    found = steadiest(lambda margin: Uneven(drawn(64, 256), 256, margin), lambda each: [each])
    assert found.margin > 0


def test_no_margins_where_nothing_is_uneven() -> None:
    class Even(Product):
        def __call__(self, x: Array) -> Array:
            return np.zeros((len(x), 4), np.float32)

    assert steadiest(lambda m: Even(drawn(64, 256), 256, m), lambda each: [each]).margin == 0


def test_rows_and_sizes_that_disagree_are_passed_over() -> None:
    sizes, places = admissible([Uneven(drawn(64, 256), 256, 0)])
    assert set(places.tolist()) == {i for i in range(TILE) if i % 6 != 5}
    assert sizes == SIZES
