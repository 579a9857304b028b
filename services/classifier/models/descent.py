"""L-BFGS: the minimum of a smooth function of many numbers, in 30 MB less than scipy.optimize's."""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
# Value and slope at a point.
Loss = Callable[[Vector], tuple[float, Vector]]

# Latest steps from which curvature is known.
_REMEMBERED: Final = 10
# Of what the slope promises: a step must gain so much, and leave at most so much to gain.
_GAIN: Final = 1e-4
_LEFT: Final = 0.9
_MOST_TRIES: Final = 20


class _Place(NamedTuple):
    at: Vector
    value: float
    slope: Vector


class _Step(NamedTuple):
    """How far it went, how much the slope changed, and one divided by their product."""

    moved: Vector
    bent: Vector
    inverse: float


def minimum(loss: Loss, first: Vector, *, most_steps: int, tolerance: float) -> Vector:
    """Where `loss` is least, from `first` on (Nocedal and Wright 2006, algorithms 7.4 and 7.5).

    It ends where a step lowers the loss by no more than `tolerance` of it.
    """
    place = _Place(first, *loss(first))
    steps: deque[_Step] = deque(maxlen=_REMEMBERED)
    for _ in range(most_steps):
        length = 1.0 if steps else 1.0 / max(float(np.linalg.norm(place.slope)), 1e-12)
        found = _stepped(loss, place, -_straightened(place.slope, steps), length)
        moved, bent = found.at - place.at, found.slope - place.slope
        product, gained = float(moved @ bent), place.value - found.value
        place = found
        if gained <= tolerance * max(abs(place.value), 1.0):
            break
        if product > 0:
            steps.append(_Step(moved, bent, 1.0 / product))
    return place.at


def _straightened(slope: Vector, steps: deque[_Step]) -> Vector:
    """The slope times the inverse of the curvature that the steps have shown."""
    found = slope.copy()
    shares = []
    for step in reversed(steps):
        shares.append(step.inverse * float(step.moved @ found))
        found -= shares[-1] * step.bent
    if steps:
        latest = steps[-1]
        found /= latest.inverse * float(latest.bent @ latest.bent)
    for step, share in zip(steps, reversed(shares), strict=True):
        found += (share - step.inverse * float(step.bent @ found)) * step.moved
    return found


def _stepped(loss: Loss, start: _Place, direction: Vector, length: float) -> _Place:
    """A step that fulfils the weak Wolfe conditions, by bisection (Lewis and Overton 2013)."""
    promised = float(start.slope @ direction)
    short, far = 0.0, np.inf
    best = start
    for _ in range(_MOST_TRIES):
        at = start.at + length * direction
        found = _Place(at, *loss(at))
        if found.value > start.value + _GAIN * length * promised:
            far = length
        else:
            best = found
            if float(found.slope @ direction) >= _LEFT * promised:
                break
            short = length
        length = 2 * length if far == np.inf else (short + far) / 2
    return best
