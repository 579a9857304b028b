"""Splitting a file into training and test rows: stratified, and the same for the same seed."""

from collections.abc import Sequence

import numpy as np

from services.classifier.evaluation.tables import LabelledTickets

TEST_SHARE = 0.2


def stratified_split(
    tickets: LabelledTickets, seed: int, share: float = TEST_SHARE
) -> tuple[LabelledTickets, LabelledTickets]:
    """(training, test) tickets, each in file order, disjoint and together every row."""
    kept, held = stratified_rows(tickets.labels, share, seed)
    return tickets.take(kept), tickets.take(held)


def stratified_rows(labels: Sequence[str], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Row numbers (kept, held out), each ascending.

    Of a class with n rows, about `share * n` are held out and at least one always stays, so that
    no class is unknown to the model that is judged. Raises ValueError for a share outside (0, 1).
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"the held-out share is {share}; it must lie between 0 and 1")
    generator = np.random.default_rng(seed)
    _, codes = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    held = np.zeros(len(labels), dtype=np.bool_)
    for code in range(int(codes.max(initial=-1)) + 1):
        rows = generator.permutation(np.flatnonzero(codes == code))
        # The fraction of a row is drawn: rounding would leave all rare classes out of the test.
        count = int(share * len(rows) + generator.random())
        held[rows[: min(count, len(rows) - 1)]] = True
    return np.flatnonzero(~held).tolist(), np.flatnonzero(held).tolist()
