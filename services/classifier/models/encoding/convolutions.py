"""Numba kernels between the encoder's matrix products: embedding, windows, layer norms, sums."""

# ruff: noqa: PLR0917 - kernels take arrays, and numba no keyword-only parameters

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.jit import kernel, vector_kernel

F32 = NDArray[np.float32]


@vector_kernel
def dequantise(
    pieces: NDArray[np.int32],
    codes: NDArray[np.uint8],
    scale: F32,
    low: F32,
    out: F32,
) -> None:
    """out[i] = embedding of pieces[i], whose codes are codes[i]."""
    for i in range(pieces.size):
        chunk = pieces[i] % scale.size
        factor, offset = scale[chunk], low[chunk]
        row = codes[i]
        for c in range(row.size):
            out[i, c] = np.float32(row[c]) * factor + offset


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


@kernel
def windows(
    begins: NDArray[np.int32],
    ends: NDArray[np.int32],
    order: int,
    left: int,
    nothing: int,
    out: NDArray[np.int32],
) -> None:
    """out[t] = the `order` tokens around token t, `left` of them before it.

    begins[t] and ends[t] bound the text of token t; beyond it a window holds `nothing`.
    """
    for t in range(begins.size):
        for k in range(order):
            at = t - left + k
            out[t, k] = at if begins[t] <= at < ends[t] else nothing


@vector_kernel
def first_layer(
    cached: NDArray[np.int32],
    begins: NDArray[np.int32],
    ends: NDArray[np.int32],
    inputs: F32,
    partial: F32,
    bias: F32,
    out: F32,
) -> None:
    """First convolution of three orders for each token, from what is cached per piece.

    cached[t] is the cache row of token t, begins[t] and ends[t] bound its text; out (3, tokens or
    more, 256). `inputs` (pieces, 768), `partial` (pieces, 10 taps x 256): the cache.
    """
    tap = 0
    for branch in range(3):
        order = 5 if branch == 2 else branch + 2
        left = branch
        for t in range(cached.size):
            row = out[branch, t]
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
def sum_tokens(  # noqa: C901, PLR0912 - one pass over a token while it is in the cache
    pieces: NDArray[np.int32],
    begins: NDArray[np.int32],
    ends: NDArray[np.int32],
    codes: NDArray[np.uint8],
    scale: F32,
    low: F32,
    first: F32,
    second: F32,
    gain: F32,
    shift: F32,
    eps: float,
    sums: F32,
    raw: F32,
) -> None:
    """Layer norm of [embedding | three convolutions] summed over each text.

    codes (tokens, 512): of their embeddings; `first` and `second` (3, tokens or more, 256): the
    first layer, and the second before it is rectified and the first is added. `sums` (texts, 1280)
    gets the sums, `raw` (texts, 512) the mean embedding of the text's own pieces, without the two
    control pieces.
    """
    token = np.empty(1280, np.float32)
    text = 0
    t = 0
    while t < pieces.size:
        end = ends[t]
        begin = t
        for c in range(1280):
            sums[text, c] = np.float32(0)
        for c in range(512):
            raw[text, c] = np.float32(0)
        while t < end:
            chunk = pieces[t] % scale.size
            row = codes[t]
            total = np.float32(0)
            for c in range(512):
                token[c] = np.float32(row[c]) * scale[chunk] + low[chunk]
                total += token[c]
            if begin < t < end - 1:
                for c in range(512):
                    raw[text, c] += token[c]
            for branch in range(3):
                layer = second[branch, t]
                skip = first[branch, t]
                for c in range(256):
                    value = max(layer[c], np.float32(0)) + skip[c]
                    token[512 + branch * 256 + c] = value
                    total += value
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
        text += 1


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
