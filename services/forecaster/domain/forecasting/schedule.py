"""Which steps a forecast learns from and which it is about: never the other way round."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.series import Frequency, History, day_number, day_of
from shared.errors import BadRequest
from shared.forecasting import MAX_HORIZON_DAYS


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps of one frequency. since: first one learned from, None for all there are.

    origin: first one not learned from. first: first one wanted, `steps` of them.
    """

    frequency: Frequency
    since: int | None
    origin: int
    first: int
    steps: int

    @property
    def gap(self) -> int:
        """Steps between what was learned from and what is wanted."""
        return self.first - self.origin

    def origin_day(self, calendar: Calendar) -> int:
        """First local day that is not learned from, in part or whole."""
        if self.frequency is Frequency.DAILY:
            return self.origin
        return int(calendar.local_days(np.array([self.origin]))[0])

    def past(self, history: History) -> History:
        """What may be learned from."""
        known = history.until(self.origin)
        return known if self.since is None else known.since(self.since)


def schedule(
    frequency: Frequency,
    closed: int,
    calendar: Calendar,
    *,
    horizon: int,
    start: date | None = None,
    train_start: date | None = None,
    train_end: date | None = None,
) -> Schedule:
    """The schedule of `horizon` days. closed: first step that is not closed yet.

    Learning ends at the earliest of what is closed, `train_end` and the day before `start`.
    Without `start` the forecast begins where the learning ends. Raises BadRequest for dates in
    the wrong order and for days more than 300 after the last that may be learned from.
    """
    if train_start and train_end and train_end < train_start:
        raise BadRequest(f"train_end_date {train_end} lies before train_start_date {train_start}")
    ends = [closed]
    if train_end is not None:
        ends.append(_step(frequency, day_number(train_end) + 1, calendar))
    origin = first = min(ends)
    if start is not None:
        first = _step(frequency, day_number(start), calendar)
        origin = min(origin, first)
    since = None if train_start is None else _step(frequency, day_number(train_start), calendar)
    if since is not None and since >= origin:
        raise BadRequest(f"train_start_date {train_start} leaves nothing to learn from")
    per_day = 24 if frequency is Frequency.HOURLY else 1
    steps = horizon * per_day
    if start is not None:
        steps = _step(frequency, day_number(start) + horizon, calendar) - first
    # A season's change of the clock may add an hour to the longest horizon.
    if first - origin + steps > MAX_HORIZON_DAYS * per_day + (per_day > 1):
        last = day_of(origin // per_day - 1)
        raise BadRequest(
            f"the forecast would end more than {MAX_HORIZON_DAYS} days after {last}, the last day "
            "to learn from; ask for fewer days or an earlier forecast_start_date"
        )
    return Schedule(frequency, since, origin, first, min(steps, MAX_HORIZON_DAYS * per_day))


def _step(frequency: Frequency, day: int, calendar: Calendar) -> int:
    return day if frequency is Frequency.DAILY else calendar.midnight(day)
