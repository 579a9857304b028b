"""When tickets arrive: a working week, its days, and now and then an incident."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A Monday, so that simulated days and weekdays are easy to reckon.
EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 86_400.0
# Share of a week's tickets per weekday, Monday first.
_WEEK = (0.22, 0.19, 0.18, 0.17, 0.15, 0.05, 0.04)
# Relative load per hour of the day, UTC; two humps around lunch, a night shift that never sleeps.
_HOURS = (
    1, 1, 1, 1, 1, 2, 5, 10, 15, 17, 16, 13, 10, 13, 15, 14, 12, 8, 5, 4, 3, 2, 2, 1,
)  # fmt: skip
_HOURS_MEAN = sum(_HOURS) / 24
# An incident adds this many times the usual load, falling off over its length.
_SURGE = 4.0
_INCIDENTS_PER_DAY = 0.35
_INCIDENT_HOURS = (0.5, 3.0)


def profile(seconds: float) -> float:
    """Load at `seconds` after EPOCH relative to the mean of a week, which is 1."""
    day, rest = divmod(seconds, DAY)
    hour, part = divmod(rest / 3600, 1)
    here, there = _HOURS[int(hour)], _HOURS[(int(hour) + 1) % 24]
    return 7 * _WEEK[int(day) % 7] * (here + (there - here) * part) / _HOURS_MEAN


@dataclass(frozen=True, slots=True)
class Incident:
    """A surge of one topic: `start` and `length` in seconds."""

    topic: str
    start: float
    length: float

    def load(self, seconds: float) -> float:
        """What it adds to the load, relative to the mean of a week."""
        since = (seconds - self.start) / self.length
        return _SURGE * (1 - since) if 0 <= since < 1 else 0.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A ticket is due: `seconds` after EPOCH, in a surge of `surge` or of the usual kind."""

    seconds: float
    surge: str | None

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)


class Arrivals:
    """A non-homogeneous Poisson process, by thinning (Lewis & Shedler 1979).

    rate: mean arrivals per simulated second over a week without incidents.
    """

    def __init__(
        self, seed: int, rate: float, topics: tuple[str, ...], *, seasonal: bool = True
    ) -> None:
        if rate <= 0 or not math.isfinite(rate):
            raise ValueError("the rate must be a positive number")
        self._rng = random.Random(f"{seed}:arrivals")
        self._incident_rng = random.Random(f"{seed}:incidents")
        self._rate = rate
        self._topics = topics
        self._seasonal = seasonal
        self._incident = self._next_incident(0.0)

    def __iter__(self) -> Iterator[Arrival]:
        """Endless, in order of time."""
        peak = (7 * max(_WEEK) * max(_HOURS) / _HOURS_MEAN if self._seasonal else 1) + _SURGE
        seconds = 0.0
        while True:
            seconds += self._rng.expovariate(self._rate * peak)
            while seconds >= self._incident.start + self._incident.length:
                self._incident = self._next_incident(self._incident.start + self._incident.length)
            usual = profile(seconds) if self._seasonal else 1.0
            extra = self._incident.load(seconds)
            drawn = self._rng.random() * peak
            if drawn < usual:
                yield Arrival(seconds, None)
            elif drawn < usual + extra:
                yield Arrival(seconds, self._incident.topic)

    def _next_incident(self, after: float) -> Incident:
        rng = self._incident_rng
        start = after + rng.expovariate(_INCIDENTS_PER_DAY / DAY)
        length = rng.uniform(*_INCIDENT_HOURS) * 3600
        return Incident(rng.choice(self._topics), start, length)
