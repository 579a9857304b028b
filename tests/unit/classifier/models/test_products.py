"""Products whose rows agree to the last bit, however many there are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.classifier.models.products import Product, quantised

Array = NDArray[np.float32]


def drawn(*shape: int) -> Array:
    return np.random.default_rng(1).standard_normal(shape, np.float32)


def matrix(inputs: int, columns: int) -> Array:
    codes = np.random.default_rng(2).integers(-127, 128, (inputs, columns)).astype(np.float32)
    codes[0, 0] = 127
    scaled: Array = codes * np.float32(0.0123)
    return scaled


@pytest.mark.parametrize("columns", [32, 256, 320])
@pytest.mark.parametrize("rows", [1, 5, 6, 7, 40])
def test_it_is_the_product(rows: int, columns: int) -> None:
    x, by, bias = drawn(rows, 64), matrix(64, columns), drawn(columns)
    found = Product(by, bias=bias)(x)
    assert found.shape == (rows, columns)
    assert np.allclose(found, x.astype(np.float64) @ by + bias, atol=1e-4)


def test_no_rows_are_no_product() -> None:
    assert Product(matrix(64, 32))(drawn(0, 64)).shape == (0, 32)


def test_a_row_has_the_same_bits_in_every_place_and_among_however_many() -> None:
    product = Product(matrix(256, 96))
    rows = drawn(40, 256)
    together = product(rows)
    for count in (1, 2, 5, 6, 13):
        for first in range(0, len(rows), count):
            part = slice(first, first + count)
            assert np.array_equal(product(rows[part]), together[part])


def test_windows_are_rows_beside_each_other() -> None:
    by, bias, x = matrix(3 * 16, 64), drawn(64), drawn(9, 16)
    around = np.array([[8, 0, 1], [0, 1, 2], [4, 4, 8]], np.int32)
    out = np.zeros((3, 64), np.float32)
    Product(by, bias=bias).windows(x, around, out)
    assert np.allclose(out, x[around].reshape(3, 48) @ by + bias, atol=1e-4)


def test_a_matrix_that_is_no_int8_is_refused() -> None:
    with pytest.raises(ValueError, match="whole numbers times one scale"):
        Product(drawn(64, 32))


def test_a_matrix_of_zeros_is_one() -> None:
    assert not Product(np.zeros((64, 32), np.float32))(drawn(3, 64)).any()


def test_vectors_are_kept_as_codes() -> None:
    vectors = drawn(5, 64)
    vectors[3] = 0.0
    codes, scales = quantised(vectors)
    assert codes.dtype == np.int8
    error = np.abs(codes * scales[:, None] - vectors).max(axis=1)
    assert (error <= scales / 2 + 1e-7).all()
    assert not codes[3].any()
