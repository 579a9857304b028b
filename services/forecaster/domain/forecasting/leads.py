"""Leads (steps ahead) and the buckets they are judged in."""

import numpy as np

from services.forecaster.domain.forecasting.series import FloatArray, IntArray


def lead_grid(horizon: int, strides: tuple[tuple[int, int], ...]) -> IntArray:
    """Leads at which the past is rehearsed: every one at first, then ever fewer.

    strides: (last lead, stride) pairs; strides prime to the season meet all its phases.
    """
    leads: list[int] = []
    first = 1
    for last, stride in strides:
        leads += range(first, min(last, horizon) + 1, stride)
        first = leads[-1] + stride
    return np.array(leads, dtype=np.int64)


def in_buckets(leads: IntArray, buckets: tuple[int, ...]) -> list[tuple[slice, float]]:
    """Where each bucket's leads stand, and the log of their mean; empty buckets are left out.

    leads: ascending. buckets: last lead of each, e.g. (1, 7, 14): lead 1, 2 to 7, 8 to 14.
    """
    ends = np.searchsorted(leads, buckets, side="right")
    spans = zip((0, *ends[:-1]), ends, strict=True)
    return [
        (slice(int(low), int(high)), float(np.log(leads[low:high].mean())))
        for low, high in spans
        if high > low
    ]


def over_leads(leads: IntArray, knots: FloatArray, values: FloatArray) -> FloatArray:
    """Values given at knots (log leads), interpolated; values: (knots, n), result: (leads, n)."""
    grid = np.log(leads)
    return np.column_stack([np.interp(grid, knots, column) for column in values.T])
