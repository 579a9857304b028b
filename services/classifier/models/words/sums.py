"""Numba kernels of the word rows: sums of word vectors to learn from, sums of rows to score by."""

# ruff: noqa: PLR0917 - kernels take arrays, and numba no keyword-only parameters

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import vector_kernel
from services.classifier.models.lexical.featurising import find

F32 = NDArray[np.float32]


@vector_kernel
def sum_words(
    words: NDArray[np.uint32],
    starts: NDArray[np.int64],
    texts: NDArray[np.int64],
    slots: NDArray[np.uint64],
    idf: F32,
    vectors: NDArray[np.int8],
    scales: F32,
    out: F32,
) -> None:
    """out[i] = sum of idf x vector over the known words of texts[i] / sqrt(sum of idf^2)."""
    for at in range(texts.size):
        text = texts[at]
        row = out[at]
        squares = np.float32(0)
        for c in range(row.size):
            row[c] = np.float32(0)
        for i in range(starts[text], starts[text + 1]):
            word, _ = find(slots, words[i])
            if word < 0:
                continue
            weight = idf[word] * scales[word]
            vector = vectors[word]
            squares += idf[word] * idf[word]
            for c in range(row.size):
                row[c] += weight * np.float32(vector[c])
        if squares > 0:
            inverse = np.float32(1) / np.sqrt(squares)
            for c in range(row.size):
                row[c] *= inverse


@vector_kernel
def score_words(
    words: NDArray[np.uint32],
    starts: NDArray[np.int64],
    slots: NDArray[np.uint64],
    idf: F32,
    rows: F32,
    bias: F32,
    classes: int,
    low: float,
    share: float,
    logits: F32,
    unknown: NDArray[np.int64],
) -> int:
    """Add share x (bias + sum of idf x row / sqrt(sum of idf^2)) to the logits of each text.

    Classes that the rows do not know, up to `classes`, get share x low. A text of which no word is
    known gets nothing added. Places of unknown words go to `unknown` as far as it has room; returns
    how many.
    """
    missing = 0
    part = np.empty(rows.shape[1], np.float32)
    for text in range(starts.size - 1):
        squares = np.float32(0)
        for c in range(part.size):
            part[c] = np.float32(0)
        for i in range(starts[text], starts[text + 1]):
            word, _ = find(slots, words[i])
            if word < 0:
                if missing < unknown.size:
                    unknown[missing] = i
                    missing += 1
                continue
            weight = idf[word]
            squares += weight * weight
            row = rows[word]
            for c in range(part.size):
                part[c] += weight * row[c]
        if squares > 0:
            inverse = np.float32(1) / np.sqrt(squares)
            out = logits[text]
            factor = np.float32(share)
            for c in range(part.size):
                out[c] += factor * (bias[c] + inverse * part[c])
            for c in range(part.size, classes):
                out[c] += factor * np.float32(low)
    return missing
