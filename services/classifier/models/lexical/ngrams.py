"""Numba kernel: one pass over packed UTF-8 makes hashed words, word pairs and character n-grams."""

# ruff: noqa: PLR0917 - kernels take arrays, and numba no keyword-only parameters

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import inlined, kernel

# FNV-1a's 32-bit prime; the offsets keep the three families of features apart.
_PRIME: Final = np.uint32(16777619)
_CHARACTER_SEED: Final = np.uint32(2166136261)
_WORD_SEED: Final = np.uint32(84696351)
_PAIR_SEED: Final = np.uint32(50331653)
_SHORTEST, _LONGEST = 3, 5
# Scripts written without blanks start about here (CJK radicals): two characters are a word there.
_IDEOGRAPHS: Final = 0x2E80
# Longer runs are pasted keys or base64, not words; their first characters are enough.
WORD_CAP: Final = 48


@inlined
def _mixed(h: np.uint32) -> np.uint32:
    """Murmur3's finaliser: FNV's low bits alone are too regular to index a table with."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@kernel
def _is_letter(point: int) -> bool:
    """Whether a folded code point belongs to a word (digits and everything not punctuation)."""
    if point < 0x80:
        return (97 <= point <= 122) or (48 <= point <= 57)
    if point < 0xC0 or point in (0xD7, 0xF7):
        return point in (0xAA, 0xB5, 0xBA)
    if 0x2000 <= point <= 0x2BFF or 0x3000 <= point <= 0x3004 or 0x3008 <= point <= 0x3020:
        return False
    return not (0xFE00 <= point <= 0xFE0F or 0xFF00 <= point <= 0xFF0F)


@kernel
def _decoded(data: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Code point at byte `at` and its length; the input is well-formed, `pack` made it."""
    lead = int(data[at])
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return ((lead & 0x1F) << 6) | (int(data[at + 1]) & 0x3F), 2
    if lead < 0xF0:
        point = ((lead & 0x0F) << 12) | ((int(data[at + 1]) & 0x3F) << 6)
        return point | (int(data[at + 2]) & 0x3F), 3
    point = ((lead & 0x07) << 18) | ((int(data[at + 1]) & 0x3F) << 12)
    return point | ((int(data[at + 2]) & 0x3F) << 6) | (int(data[at + 3]) & 0x3F), 4


@kernel
def _emit_grams(
    points: NDArray[np.int32], length: int, hashes: NDArray[np.uint32], count: int
) -> int:
    """Character n-grams of one word padded by blanks (`points[0:length]`); the new count."""
    for start in range(length - _SHORTEST + 1):
        h = _CHARACTER_SEED
        stop = min(start + _LONGEST, length)
        for at in range(start, stop):
            h = np.uint32((h ^ np.uint32(points[at])) * _PRIME)
            size = at - start + 1
            if size >= _SHORTEST or (size == 2 and points[start] >= _IDEOGRAPHS):
                hashes[count] = _mixed(h)
                count += 1
    return count


@kernel
def hash_text(  # noqa: PLR0915 - one pass over the bytes
    data: NDArray[np.uint8],
    at: int,
    hashes: NDArray[np.uint32],
    words: NDArray[np.uint32],
    spans: NDArray[np.int32],
    points: NDArray[np.int32],
) -> tuple[int, int, int, int]:
    """Features of the text that begins at byte `at` and ends before the next zero byte.

    Writes words and word pairs, then character n-grams, to `hashes` (`capacity(bytes)` places),
    the word hashes alone to `words` and their first byte and byte behind the last to `spans`
    (a place, and two, for every second byte); `points` is scratch of WORD_CAP + 2.
    Returns (features, of them words and pairs, words, byte after the text's zero).
    """
    grams = 0
    word_count = 0
    previous = np.uint32(0)
    start = at
    # Grams go straight behind the place the words of this text can take at most.
    end = at
    while data[end] != 0:
        end += 1
    split = end - start + 2
    lexical = 0
    while at <= end:
        length = 1
        points[0] = 32
        h = _WORD_SEED
        first = at
        while at < end:
            point, size = _decoded(data, at)
            if not _is_letter(point):
                break
            if length <= WORD_CAP:
                points[length] = point
                length += 1
                h = np.uint32((h ^ np.uint32(point)) * _PRIME)
            at += size
        if length > 1:
            points[length] = 32
            h = _mixed(h)
            words[word_count] = h
            spans[2 * word_count] = first
            spans[2 * word_count + 1] = at
            word_count += 1
            hashes[lexical] = h
            lexical += 1
            if word_count > 1:
                hashes[lexical] = _mixed(np.uint32((previous ^ _PAIR_SEED) * _PRIME) ^ h)
                lexical += 1
            previous = h
            grams = _emit_grams(points, length + 1, hashes[split:], grams)
        if at < end:
            at += _decoded(data, at)[1]
        else:
            break
    for i in range(grams):
        hashes[lexical + i] = hashes[split + i]
    return lexical + grams, lexical, word_count, end + 1


def capacity(size: int) -> int:
    """Places that the features of a text of `size` bytes can take at most."""
    return 6 * size + 16
