"""Drawing rows for a hold-out: stratified, and the same for the same seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def stratified_split(labels: Sequence[str], share: float, seed: int) -> tuple[Rows, Rows]:
    """Row numbers (kept, held out), each ascending, disjoint and together every row.

    Of a class with n rows, about `share * n` are held out and at least one always stays, so that
    no class is unknown to the model that is judged. Raises ValueError for a share outside (0, 1).
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"the held-out share is {share}; it must lie between 0 and 1")
    generator = np.random.default_rng(seed)
    names, codes = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
    held: list[Rows] = []
    for code in range(len(names)):
        rows = generator.permutation(np.flatnonzero(codes == code))
        # The fraction of a row is drawn: rounding would leave all rare classes out of the hold-out.
        count = int(share * len(rows) + generator.random())
        held.append(rows[: min(count, len(rows) - 1)])
    held_rows = np.sort(np.concatenate(held)) if held else np.empty(0, dtype=np.int64)
    kept = np.setdiff1d(np.arange(len(labels)), held_rows, assume_unique=True)
    return kept.astype(np.int64), held_rows.astype(np.int64)
