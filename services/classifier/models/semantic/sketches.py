"""Sketches of spelling: texts with nearly the same letters have nearly the same sketch."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.encoding.cleaning import clean
from services.classifier.models.semantic.experts import unit

Array = NDArray[np.float32]

DIMENSION: Final = 256
_BLANKS: Final = re.compile(r"\s+")
# Runs of so many bytes; odd multipliers spread them over 32 bits (Knuth's multiplicative hashing).
_LENGTHS: Final = (3, 4)
_MIX: Final = np.uint32(2_654_435_761)
_NEXT: Final = np.uint32(31)


def sketches(texts: Sequence[str]) -> Array:
    """Unit vectors, shape (texts, 256): signed counts of hashed runs of bytes, by their root.

    Greeting, signature and case make no difference; a text of nothing gets zeros.
    """
    found = np.zeros((len(texts), DIMENSION), np.float32)
    for row, text in enumerate(texts):
        letters = _BLANKS.sub(" ", f" {clean(text)} ").casefold().encode("utf-8", "replace")
        found[row] = _counts(np.frombuffer(letters, np.uint8).astype(np.uint32))
    return unit(found)


def _counts(letters: NDArray[np.uint32]) -> Array:
    if len(letters) <= 2:  # but the blanks around it
        return np.zeros(DIMENSION, np.float32)
    hashes = []
    for length in _LENGTHS:
        runs = np.full(max(len(letters) - length + 1, 0), np.uint32(length), np.uint32)
        for at in range(length):
            runs = (runs * _NEXT + letters[at : at + len(runs)]) * _MIX
            runs ^= runs >> np.uint32(15)
        hashes.append(runs)
    mixed = np.concatenate(hashes)
    signs = np.where(mixed >> np.uint32(31), 1.0, -1.0)
    places = (mixed >> np.uint32(8)) % np.uint32(DIMENSION)
    total = np.bincount(places, signs, DIMENSION)
    result: Array = (np.sign(total) * np.sqrt(np.abs(total))).astype(np.float32)
    return result
