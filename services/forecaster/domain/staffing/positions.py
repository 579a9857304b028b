"""From forecast and handling time to positions per interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from services.forecaster.domain.staffing.erlang import WaitingLine, erlang_a, erlang_c

MAX_POSITIONS = 100_000


class StaffingError(ValueError):
    """A target or a handling time nobody can staff for."""


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """What is promised. Times in seconds.

    service_level: share to be answered within `answer_within`. shrinkage: share of paid time a
    person is not available (breaks, training). patience: mean time before a contact gives up;
    None for contacts that wait for ever (Erlang C).
    """

    handling_seconds: float
    answer_within: float
    service_level: float = 0.8
    shrinkage: float = 0.0
    max_occupancy: float = 1.0
    patience: float | None = None

    def __post_init__(self) -> None:
        """Raise StaffingError for values outside their range."""
        if self.handling_seconds <= 0 or self.answer_within < 0:
            raise StaffingError("handling time must be positive, answer time not negative")
        if not 0 < self.service_level < 1:
            raise StaffingError("service level must lie between 0 and 1")
        if not 0 <= self.shrinkage < 1 or not 0 < self.max_occupancy <= 1:
            raise StaffingError("shrinkage must be in [0, 1), occupancy in (0, 1]")
        if self.patience is not None and self.patience <= 0:
            raise StaffingError("patience must be positive")


@dataclass(frozen=True, slots=True)
class Staffing:
    """Positions of one interval: raw (at work) and scheduled (paid), and how the line then is."""

    raw: int
    scheduled: int
    line: WaitingLine


def positions_for(contacts: float, interval_seconds: float, target: ServiceTarget) -> Staffing:
    """Fewest positions that keep the promise for a mean of `contacts` in one interval.

    100 contacts per 30 minutes, 3 minutes each, 80 % within 20 s at 30 % shrinkage need 14
    positions at work and 20 scheduled, at a service level of 0.888.
    """
    if contacts < 0 or interval_seconds <= 0:
        raise StaffingError("contacts must not be negative and the interval must be positive")
    load = contacts * target.handling_seconds / interval_seconds
    if load > MAX_POSITIONS / 2:
        raise StaffingError(f"a load of {load:.0f} busy positions is beyond {MAX_POSITIONS // 2}")
    if load == 0:
        return Staffing(0, 0, WaitingLine(0, 1.0, 0.0, 0.0, 0.0))
    raw = _fewest(lambda count: _kept(load, count, target), max(1, ceil(load)))
    return Staffing(raw, ceil(raw / (1.0 - target.shrinkage)), line_of(load, raw, target))


def plan(
    contacts: Sequence[float], interval_seconds: float, target: ServiceTarget
) -> list[Staffing]:
    """Staffing of each interval of a forecast (its means, or a quantile to be on the safe side)."""
    return [positions_for(mean, interval_seconds, target) for mean in contacts]


def line_of(load: float, positions: int, target: ServiceTarget) -> WaitingLine:
    """The waiting line a number of positions gives. load: erlangs."""
    if target.patience is None:
        return erlang_c(load, positions, target.handling_seconds, target.answer_within)
    return erlang_a(load, positions, target.handling_seconds, target.answer_within, target.patience)


def _kept(load: float, positions: int, target: ServiceTarget) -> bool:
    line = line_of(load, positions, target)
    return line.service_level >= target.service_level and line.occupancy <= target.max_occupancy


def _fewest(kept: Callable[[int], bool], guess: int) -> int:
    """Smallest count that satisfies a monotone condition, by doubling and halving."""
    high = guess
    while not kept(high):
        if high > MAX_POSITIONS:
            raise StaffingError("no number of positions keeps this promise")
        high *= 2
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if kept(middle) else (middle, high)
    return high
