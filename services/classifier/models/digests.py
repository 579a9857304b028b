"""Digests of plain values and arrays: equal content, equal digest, on any machine."""

import hashlib
from typing import Any

import numpy as np


def digest_of(state: Any) -> str:
    """SHA-256 over nested mappings of plain values and arrays, as hexadecimal digits."""
    digest = hashlib.sha256()
    _absorb(digest, state)
    return digest.hexdigest()


def _absorb(digest: "hashlib._Hash", value: Any) -> None:
    if isinstance(value, dict):
        for key in sorted(value):
            digest.update(f"{key}:".encode())
            _absorb(digest, value[key])
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    else:
        digest.update(repr(value).encode())
