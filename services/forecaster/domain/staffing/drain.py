"""Staffing of channels that may wait (e-mail): how a backlog drains, and how likely it is late."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from services.forecaster.domain.forecasting.distribution import QUANTILES
from services.forecaster.domain.forecasting.series import FloatArray
from services.forecaster.domain.staffing.positions import MAX_POSITIONS, StaffingError

# Intervals share this part of their uncertainty: a busy morning makes a busy afternoon.
_SHARED = 0.5
_LEVELS = np.array([0.0, *QUANTILES, 1.0])
_GRID = np.linspace(-6.0, 6.0, 1201)
_NORMAL = np.array([NormalDist().cdf(float(x)) for x in _GRID])


@dataclass(frozen=True, slots=True, eq=False)
class Drain:
    """What a staffing plan leads to, per interval.

    backlog: mean tickets waiting at the end; late_share: mean share of the interval's tickets
    that are not finished in time; breach_probability: probability that less than the service
    level of all tickets is finished in time.
    """

    backlog: FloatArray
    late_share: FloatArray
    breach_probability: float


def sampled_arrivals(quantiles: FloatArray, samples: int, seed: int) -> FloatArray:
    """Draws of arrivals per interval from forecast quantiles, shape (samples, intervals).

    quantiles: shape (intervals, 5). Intervals are joined by a one-factor normal copula.
    """
    random = np.random.default_rng(seed)
    intervals = len(quantiles)
    shared = random.standard_normal((samples, 1))
    own = random.standard_normal((samples, intervals))
    uniform = np.interp(np.sqrt(_SHARED) * shared + np.sqrt(1.0 - _SHARED) * own, _GRID, _NORMAL)
    reach = quantiles[:, -1] - quantiles[:, 2]
    low = np.maximum(quantiles[:, 0] - 0.3 * (quantiles[:, 2] - quantiles[:, 0]), 0.0)
    ends = np.column_stack([low, quantiles, quantiles[:, -1] + 0.3 * reach])
    columns = [np.interp(uniform[:, i], _LEVELS, ends[i]) for i in range(intervals)]
    return np.column_stack(columns) if columns else np.zeros((samples, 0))


def drain(
    arrivals: FloatArray,
    capacity: FloatArray,
    *,
    backlog: float,
    due_intervals: int,
    service_level: float,
) -> Drain:
    """First come, first served. arrivals: shape (samples, n); capacity: tickets per interval, (n,).

    backlog: tickets waiting at the start, due within the first `due_intervals`. A ticket is late
    when it is not finished `due_intervals` after the interval it came in. Tickets due after the
    plan's end are judged as if the plan repeated: a day is followed by a like one.
    """
    if due_intervals < 0 or backlog < 0:
        raise StaffingError("backlog and due time must not be negative")
    samples, n = arrivals.shape
    supply = np.resize(capacity, n + due_intervals) if n else np.zeros(due_intervals)
    waiting, done = np.full(samples, backlog), np.zeros((samples, n + due_intervals))
    finished, left = np.zeros(samples), np.zeros((samples, n))
    for step in range(n + due_intervals):
        waiting = waiting + (arrivals[:, step] if step < n else 0.0)
        served = np.minimum(waiting, supply[step])
        waiting = waiting - served
        finished = finished + served
        done[:, step] = finished
        if step < n:
            left[:, step] = waiting
    came = backlog + np.cumsum(arrivals, axis=1)
    late = np.clip(came - done[:, due_intervals : due_intervals + n], 0.0, arrivals)
    total = arrivals.sum(axis=1)
    in_time = 1.0 - late.sum(axis=1) / np.maximum(total, 1e-9)
    return Drain(
        left.mean(axis=0),
        late.mean(axis=0) / np.maximum(arrivals.mean(axis=0), 1e-9),
        float((in_time < service_level).mean()),
    )


def positions_to_drain(
    arrivals: FloatArray,
    open_share: FloatArray,
    *,
    tickets_per_position: float,
    backlog: float,
    due_intervals: int,
    service_level: float,
    breach_limit: float = 0.05,
) -> tuple[int, Drain]:
    """Fewest positions, the same in every open interval, that breach no more often than allowed.

    open_share: share of each interval that is worked, shape (n,). tickets_per_position: tickets
    one person finishes per whole interval. Raises StaffingError where no number is enough, e.g.
    where nobody works before tickets are due.
    """
    if tickets_per_position <= 0:
        raise StaffingError("tickets per position must be positive")

    def tried(positions: int) -> Drain:
        return drain(
            arrivals,
            positions * tickets_per_position * open_share,
            backlog=backlog,
            due_intervals=due_intervals,
            service_level=service_level,
        )

    low, high = -1, 1
    while tried(high).breach_probability > breach_limit:
        low, high = high, high * 2
        if high > MAX_POSITIONS:
            raise StaffingError("no number of positions is enough: widen hours or due time")
    while high - low > 1:
        middle = (low + high) // 2
        kept = tried(middle).breach_probability <= breach_limit
        low, high = (low, middle) if kept else (middle, high)
    return high, tried(high)
