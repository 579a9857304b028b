"""Numba kernels between the encoder's matrix products: embedding, windows, layer norms, sums."""

# ruff: noqa: PLR0917 - kernels take arrays, and numba no keyword-only parameters

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import vector_kernel

F32 = NDArray[np.float32]


@vector_kernel
def dequantise(
    pieces: NDArray[np.int32],
    table: NDArray[np.uint8],
    scale: F32,
    low: F32,
    places: NDArray[np.int32],
    out: F32,
) -> None:
    """out[places[i]] = embedding of pieces[i]."""
    for i in range(pieces.size):
        chunk = pieces[i] % scale.size
        factor, offset = scale[chunk], low[chunk]
        row = table[pieces[i]]
        for c in range(row.size):
            out[places[i], c] = np.float32(row[c]) * factor + offset


@vector_kernel
def normalise_rows(x: F32, bias: F32, gain: F32, shift: F32, eps: float) -> None:
    """Layer norm of x + bias, row by row, in place."""
    width = x.shape[1]
    for i in range(x.shape[0]):
        row = x[i]
        total = np.float32(0)
        for c in range(width):
            row[c] += bias[c]
            total += row[c]
        mean = total / np.float32(width)
        spread = np.float32(0)
        for c in range(width):
            row[c] -= mean
            spread += row[c] * row[c]
        inverse = np.float32(1) / np.sqrt(spread / np.float32(width) + np.float32(eps))
        for c in range(width):
            row[c] = row[c] * inverse * gain[c] + shift[c]


@vector_kernel
def first_layer(
    cached: NDArray[np.int32],
    begins: NDArray[np.int32],
    ends: NDArray[np.int32],
    places: NDArray[np.int32],
    inputs: F32,
    partial: F32,
    bias: F32,
    out: F32,
) -> None:
    """First convolution of three orders for each token, from what is cached per piece.

    cached[t] is the cache row of token t, begins[t] and ends[t] bound its text, places[t] is its
    row of `out` (3, rows, 256). `inputs` (pieces, 768), `partial` (pieces, 10 taps x 256): cache.
    """
    tap = 0
    for branch in range(3):
        order = 5 if branch == 2 else branch + 2
        left = branch
        for t in range(cached.size):
            row = out[branch, places[t]]
            for c in range(256):
                row[c] = bias[branch, c]
            for k in range(order):
                at = t - left + k
                if begins[t] <= at < ends[t]:
                    part = partial[cached[at], (tap + k) * 256 : (tap + k + 1) * 256]
                    for c in range(256):
                        row[c] += part[c]
            x = inputs[cached[t], branch * 256 : branch * 256 + 256]
            for c in range(256):
                row[c] = max(row[c], np.float32(0)) + x[c]
        tap += order


@vector_kernel
def second_layer(
    begins: NDArray[np.int32],
    ends: NDArray[np.int32],
    places: NDArray[np.int32],
    first: F32,
    partial: F32,
    bias: F32,
    order: int,
    left: int,
    margin: int,
    out: F32,
) -> None:
    """Second convolution of one order: out = relu(sum of taps + bias) + first, at places[t].

    partial (taps, rows, margin + 256 + margin): `first` times each tap.
    """
    for t in range(begins.size):
        row = out[places[t]]
        for c in range(256):
            row[c] = bias[c]
        for k in range(order):
            at = t - left + k
            if begins[t] <= at < ends[t]:
                part = partial[k, places[at], margin : margin + 256]
                for c in range(256):
                    row[c] += part[c]
        for c in range(256):
            row[c] = max(row[c], np.float32(0)) + first[places[t], c]


@vector_kernel
def sum_tokens(  # noqa: C901, PLR0912 - one pass over a token while it is in the cache
    pieces: NDArray[np.int32],
    begins: NDArray[np.int32],
    ends: NDArray[np.int32],
    table: NDArray[np.uint8],
    scale: F32,
    low: F32,
    layers: F32,
    gain: F32,
    shift: F32,
    eps: float,
    sums: F32,
    raw: F32,
    places: NDArray[np.int32],
    first: int,
) -> None:
    """Layer norm of [embedding | three convolutions] summed over each text.

    `sums` (rows, 1280) gets the sums, `raw` (rows, 512) the mean embedding of the text's own pieces
    (without the two control pieces), the first text at places[first], the next behind it.
    """
    token = np.empty(1280, np.float32)
    index = first
    t = 0
    while t < pieces.size:
        text = places[index]
        end = ends[t]
        begin = t
        for c in range(1280):
            sums[text, c] = np.float32(0)
        for c in range(512):
            raw[text, c] = np.float32(0)
        while t < end:
            chunk = pieces[t] % scale.size
            row = table[pieces[t]]
            total = np.float32(0)
            for c in range(512):
                token[c] = np.float32(row[c]) * scale[chunk] + low[chunk]
                total += token[c]
            if begin < t < end - 1:
                for c in range(512):
                    raw[text, c] += token[c]
            for branch in range(3):
                layer = layers[branch, places[t]]
                for c in range(256):
                    token[512 + branch * 256 + c] = layer[c]
                    total += layer[c]
            mean = total / np.float32(1280)
            spread = np.float32(0)
            for c in range(1280):
                token[c] -= mean
                spread += token[c] * token[c]
            inverse = np.float32(1) / np.sqrt(spread / np.float32(1280) + np.float32(eps))
            for c in range(1280):
                sums[text, c] += token[c] * inverse
            t += 1
        count = np.float32(end - begin)
        for c in range(1280):
            sums[text, c] = sums[text, c] * gain[c] + count * shift[c]
        inner = np.float32(max(end - begin - 2, 1))
        for c in range(512):
            raw[text, c] /= inner
        index += 1


@vector_kernel
def unit_rows(x: F32, eps: float) -> None:
    """Unit length, row by row, in place."""
    for i in range(x.shape[0]):
        row = x[i]
        total = np.float32(0)
        for c in range(row.size):
            total += row[c] * row[c]
        inverse = np.float32(1) / np.sqrt(max(total, np.float32(eps)))
        for c in range(row.size):
            row[c] *= inverse
