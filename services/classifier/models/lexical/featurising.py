"""Numba kernels: feature hashes looked up in an open-addressing table become weighted rows."""

# ruff: noqa: PLR0917 - kernels take arrays, and numba no keyword-only parameters

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import inlined, kernel
from services.classifier.models.lexical.ngrams import hash_text

_LOW: Final = np.uint64(0xFFFFFFFF)
_HALF: Final = np.uint64(32)
# 1 + log(tf), so that the hundredth "a" of a text weighs little more than the tenth.
_DAMPED: Final = (1.0 + np.log(np.maximum(np.arange(64), 1))).astype(np.float32)


@inlined
def find(slots: NDArray[np.uint64], value: np.uint32) -> tuple[int, int]:
    """Row of a hash or -1, and the slot where it is or would go. A slot is hash << 32 | row + 1."""
    mask = slots.size - 1
    at = int(value) & mask
    while True:
        slot = slots[at]
        if slot == 0:
            return -1, at
        if np.uint32(slot >> _HALF) == value:
            return int(slot & _LOW) - 1, at
        at = (at + 1) & mask


@kernel
def place_all(slots: NDArray[np.uint64], hashes: NDArray[np.uint32]) -> None:
    """Put hashes[i] into an empty table as row i."""
    for row in range(hashes.size):
        _, at = find(slots, hashes[row])
        slots[at] = (np.uint64(hashes[row]) << _HALF) | np.uint64(row + 1)


@kernel
def insert_all(
    data: NDArray[np.uint8],
    texts: int,
    slots: NDArray[np.uint64],
    frequency: NDArray[np.int32],
    size: int,
    places: NDArray[np.int32],
    rows: NDArray[np.int32],
    hashes: NDArray[np.uint32],
    words: NDArray[np.uint32],
    spans: NDArray[np.int32],
    points: NDArray[np.int32],
) -> int:
    """Give rows to unknown features and count each once per text; the new number of rows."""
    at = 0
    for _ in range(texts):
        features, _, _, at = hash_text(data, at, hashes, words, spans, points)
        count = 0
        for i in range(features):
            row, slot = find(slots, hashes[i])
            if row < 0:
                row = size
                size += 1
                slots[slot] = (np.uint64(hashes[i]) << _HALF) | np.uint64(row + 1)
            place = places[row]
            if not (0 <= place < count and rows[place] == row):
                places[row] = count
                rows[count] = row
                count += 1
                frequency[row] += 1
    return size


@inlined
def _collect(
    hashes: NDArray[np.uint32],
    first: int,
    behind: int,
    slots: NDArray[np.uint64],
    places: NDArray[np.int32],
    rows: NDArray[np.int32],
    values: NDArray[np.float32],
    count: int,
) -> tuple[int, int]:
    """Append the known rows among hashes[first:behind] with their counts.

    Returns the new count, and how many of the hashes are known.
    """
    begin = count
    known = 0
    for i in range(first, behind):
        row, _ = find(slots, hashes[i])
        if row < 0:
            continue
        known += 1
        # Sparse-set trick: `places` needs no clearing, a stale place fails one of the two tests.
        place = places[row]
        if begin <= place < count and rows[place] == row:
            values[place] += np.float32(1)
        else:
            places[row] = count
            rows[count] = row
            values[count] = np.float32(1)
            count += 1
    return count, known


@inlined
def _weigh(
    rows: NDArray[np.int32],
    values: NDArray[np.float32],
    idf: NDArray[np.float32],
    first: int,
    behind: int,
) -> None:
    """Counts become (1 + log tf) x idf of unit norm."""
    total = np.float32(0)
    for i in range(first, behind):
        value = _DAMPED[min(int(values[i]), _DAMPED.size - 1)] * idf[rows[i]]
        values[i] = value
        total += value * value
    if total > 0:
        scale = np.float32(1) / np.sqrt(total)
        for i in range(first, behind):
            values[i] *= scale


@kernel
def featurise(
    data: NDArray[np.uint8],
    texts: int,
    slots: NDArray[np.uint64],
    idf: NDArray[np.float32],
    places: NDArray[np.int32],
    rows: NDArray[np.int32],
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    words: NDArray[np.uint32],
    word_starts: NDArray[np.int64],
    spans: NDArray[np.int32],
    coverage: NDArray[np.float32],
    hashes: NDArray[np.uint32],
    points: NDArray[np.int32],
) -> tuple[int, int]:
    """Fill `rows`, `values`, `starts` (rows of known features, words and pairs first, each family
    of unit norm), `words`, `word_starts`, `spans`, and in `coverage` the known share of each text's
    features; returns how many rows and words were written.
    """
    at = 0
    count = 0
    word_count = 0
    starts[0] = 0
    word_starts[0] = 0
    for text in range(texts):
        features, lexical, in_text, at = hash_text(
            data, at, hashes, words[word_count:], spans[2 * word_count :], points
        )
        middle, known = _collect(hashes, 0, lexical, slots, places, rows, values, count)
        end, more = _collect(hashes, lexical, features, slots, places, rows, values, middle)
        _weigh(rows, values, idf, count, middle)
        _weigh(rows, values, idf, middle, end)
        count = end
        word_count += in_text
        starts[text + 1] = count
        word_starts[text + 1] = word_count
        coverage[text] = np.float32(known + more) / np.float32(max(features, 1))
    return count, word_count
