"""Packing: many texts become one case-folded, NFC-normalised run of UTF-8 bytes."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Bounds the cost of the longest ticket: what follows this many characters no longer changes a
# topic, and a pasted log file of a megabyte must not stall the batch it arrives in.
CHARACTER_CAP: Final = 8_192
SEPARATOR: Final = "\x00"
# Characters that are featurised at once: scratch is some sixty times as large, 4 MB where memories
# are learned from again, 16 MB where a large batch of tickets is asked about: each run costs some.
LEARNED_AT_ONCE: Final = 1 << 16
ASKED_AT_ONCE: Final = 1 << 18


def pack(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Folded UTF-8 of `texts`, each followed by one zero byte; shape (bytes,).

    Folding is Unicode's (casefold, then NFC), so that German and Russian capitals meet their small
    letters; lone surrogates become "?", zero characters inside a text become blanks. The whole
    batch is folded in one call because per-text calls would cost more than scoring does.
    """
    joined = SEPARATOR.join(texts)
    if len(joined) > CHARACTER_CAP or joined.count(SEPARATOR) != max(len(texts) - 1, 0):
        joined = SEPARATOR.join(_clipped(text) for text in texts)
    if joined.isascii():
        folded = joined.lower().encode("ascii")
    else:
        folded = unicodedata.normalize("NFC", joined.casefold()).encode("utf-8", "replace")
    return np.frombuffer(folded + b"\x00" if texts else b"", dtype=np.uint8)


def runs(texts: Sequence[str], at_once: int) -> list[slice]:
    """Ranges of texts to featurise one after another, so that long ones take no more scratch.

    at_once: characters of a range, unless it is of one text.
    """
    count = len(texts)
    if count * CHARACTER_CAP <= at_once or sum(map(len, texts)) <= at_once:
        return [slice(0, count)]
    ends, size = [0], 0
    for at, text in enumerate(texts):
        size += min(len(text), CHARACTER_CAP)
        if size > at_once and at > ends[-1]:
            ends.append(at)
            size = min(len(text), CHARACTER_CAP)
    return [slice(first, behind) for first, behind in pairwise([*ends, count])]


def _clipped(text: str) -> str:
    return text[:CHARACTER_CAP].replace(SEPARATOR, " ")
