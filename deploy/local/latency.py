"""Quantiles of a Prometheus histogram, from its cumulative buckets."""

import math
from collections.abc import Mapping
from itertools import pairwise

# Upper bound of a bucket in seconds -> observations at or below it, as a scrape shows them.
Buckets = Mapping[float, float]


def between(earlier: Buckets, later: Buckets) -> Buckets:
    """What was observed between two scrapes. A process that restarted began anew from 0."""
    if any(later.get(bound, 0) < count for bound, count in earlier.items()):
        return later
    return {bound: count - earlier.get(bound, 0) for bound, count in later.items()}


def quantile(buckets: Buckets, share: float) -> float | None:
    """Seconds below which `share` of the observations lie; None where there are none.

    Linear within a bucket, as Prometheus's histogram_quantile; beyond the last finite bound
    that bound is answered, the most that is known.
    """
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] <= 0:
        return None
    rank = share * buckets[bounds[-1]]
    for lower, upper in pairwise([0.0, *bounds]):
        below = buckets.get(lower, 0.0)
        if buckets[upper] >= rank and buckets[upper] > below:
            if math.isinf(upper):
                return lower
            return lower + (upper - lower) * max(0.0, rank - below) / (buckets[upper] - below)
    return None
