"""Made-up emergency calls by board and priority: the shape of real ones, none of their data.

Weekday and yearly cycles, feasts, a trend that changes direction, slow wandering of the level,
winter waves whose date differs every year, and more variance than Poisson's; all from a seed.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar, weekday, year_angle
from services.forecaster.domain.forecasting.hierarchy import Hierarchy
from services.forecaster.domain.forecasting.series import (
    FloatArray,
    Frequency,
    History,
    IntArray,
    day_number,
    day_of,
)
from services.forecaster.domain.judging.backtest import Trial
from services.forecaster.domain.judging.metrics import seasonal_scale

BOARDS = {
    "north": 250.0,
    "south": 200.0,
    "east": 150.0,
    "west": 110.0,
    "hills": 70.0,
    "coast": 40.0,
}
PRIORITIES = {"red": 0.07, "amber": 0.63, "green": 0.30}
COUNTRY = "GB"
PULL = 0.985  # what is left of a walk after a day
FIRST_DAY = day_number(date(2021, 1, 1))


@dataclass(frozen=True, slots=True)
class EmergencyCalls:
    """Leaves (board/priority), the means they were drawn from, and the tree board -> total.

    walks: the part of the log means that wanders, per leaf.
    """

    leaves: dict[str, History]
    means: dict[str, FloatArray]
    walks: dict[str, FloatArray]
    tree: Hierarchy

    def errors(self, trial: Trial) -> tuple[float, float]:
        """Mean absolute scaled errors that no forecast is likely to beat.

        First of the true mean. Then of what can be known at the origin: all of the mean but the
        steps that its walks are still to take; even winters and trends to come count as known.
        """
        history, first = self.leaves[trial.series], trial.forecast.start
        days = slice(first - history.start, first - history.start + len(trial.actuals))
        true, walk = self.means[trial.series][days], self.walks[trial.series]
        pulled = walk[days.start - 1] * PULL ** np.arange(1, len(true) + 1)
        scale = seasonal_scale(history.until(first))
        least, knowable = (
            float(np.abs(trial.actuals - mean).mean()) / scale
            for mean in (true, true * np.exp(pulled - walk[days]))
        )
        return least, knowable


def emergency_calls(seed: int, days: int = 1400) -> EmergencyCalls:
    """Daily counts of 18 leaves under 6 boards; the same seed gives the same counts."""
    random = np.random.default_rng(seed)
    first = FIRST_DAY
    steps = np.arange(first, first + days)
    wander = _slow_walk(random, days, 0.004)
    shared = _winter_waves(random, steps) + _trend(random, days)
    leaves: dict[str, History] = {}
    means: dict[str, FloatArray] = {}
    walks: dict[str, FloatArray] = {}
    parents: dict[str, str] = {}
    for board, volume in BOARDS.items():
        walk = wander + _slow_walk(random, days, 0.006)
        local = walk + 0.5 * _trend(random, days)
        parents[board] = "total"
        for priority, share in PRIORITIES.items():
            log_mean = np.log(volume * share) + shared + local + _calendar(random, steps, priority)
            name = f"{board}/{priority}"
            means[name], walks[name] = np.exp(log_mean), walk
            counts = _draw(random, means[name], 250.0)
            leaves[name] = History(Frequency.DAILY, first, counts)
            parents[name] = board
    return EmergencyCalls(leaves, means, walks, Hierarchy(parents))


def arrivals_per_hour(seed: int, weeks: int = 150, volume: float = 14.0) -> History:
    """Hourly arrivals of one department, UTC, with the daily rhythm of London's wall clock."""
    random = np.random.default_rng(seed)
    first = 24 * FIRST_DAY
    hours = np.arange(first, first + weeks * 168)
    calendar = Calendar("Europe/London", COUNTRY)
    local = calendar.local_hours(hours)
    days = np.arange(local[0] // 24, local[-1] // 24 + 1)
    daily = (
        _slow_walk(random, len(days), 0.012)
        + _winter_waves(random, days)
        + _calendar(random, days, "amber")
        + 0.05 * random.standard_normal(len(days))
    )
    hour = local % 24
    weekend = weekday(local // 24) >= 5
    rhythm = 0.75 * np.cos((hour - 15.5) / 24 * 2 * np.pi) + 0.22 * np.cos((hour - 11) / 6 * np.pi)
    rhythm += np.where(weekend, 0.25 * np.cos((hour - 1) / 24 * 2 * np.pi), 0.0)
    mean = volume * np.exp(daily[local // 24 - days[0]] + rhythm - 0.25)
    return History(Frequency.HOURLY, first, _draw(random, mean, 60.0))


def _draw(random: np.random.Generator, mean: FloatArray, size: float) -> FloatArray:
    """Negative binomial counts of variance mean + mean^2 / size."""
    counts = random.poisson(random.gamma(size, mean / size))
    return np.asarray(counts, dtype=np.float64)


def _slow_walk(random: np.random.Generator, days: int, step: float) -> FloatArray:
    """A level that wanders and is pulled back within about two months."""
    shocks = step * random.standard_normal(days)
    walk = np.zeros(days)
    for day in range(1, days):
        walk[day] = PULL * walk[day - 1] + shocks[day]
    return walk


def _trend(random: np.random.Generator, days: int) -> FloatArray:
    """Piecewise linear on logs: up to 8 % a year either way, changing about once a year."""
    knots = np.arange(0, days + 400, 380)
    slopes = random.uniform(-0.08, 0.08, len(knots)) / 365.0
    values = np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(knots))])
    slope: FloatArray = np.interp(np.arange(days), knots, values).astype(np.float64)
    return slope


def _winter_waves(random: np.random.Generator, days: IntArray) -> FloatArray:
    """One wave each winter, four weeks either side of new year, of its own height and width."""
    wave = np.zeros(len(days))
    for year in range(day_of(int(days[0])).year, day_of(int(days[-1])).year + 2):
        peak = (year - 1970) * 365.2425 + random.normal(5.0, 14.0)
        width, height = random.uniform(12.0, 25.0), random.uniform(0.03, 0.14)
        wave += height * np.exp(-0.5 * ((days - peak) / width) ** 2)
    return wave


def _calendar(random: np.random.Generator, days: IntArray, priority: str) -> FloatArray:
    """Weekday, yearly and feast effects on logs; urgent calls peak at weekends, others mid-week."""
    sign = {"red": 0.3, "amber": 0.6, "green": 1.0}[priority]
    week = sign * np.array([0.07, 0.02, 0.0, 0.0, 0.02, -0.02, -0.06])
    week = week + 0.01 * random.standard_normal(7)
    effect = week[weekday(days)] + 0.035 * np.cos(year_angle(days) - random.normal(0.2, 0.3))
    found = Calendar(country=COUNTRY).holidays(days)
    for row, day in enumerate(days):
        on = day_of(int(day))
        if int(day) in found:
            effect[row] -= 0.06 * sign
        if (on.month, on.day) == (1, 1):
            effect[row] += 0.22
        elif (on.month, on.day) in ((12, 25), (12, 26)):
            effect[row] -= 0.10 * sign
    return effect
