"""What is learned from always lies before what is forecast."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.schedule import schedule
from services.forecaster.domain.forecasting.series import Frequency, History, day_number
from shared.errors import BadRequest

CLOSED = date(2026, 3, 1)
dates = st.none() | st.dates(date(2025, 1, 1), date(2026, 12, 31))


@given(dates, dates, dates, st.integers(1, 300), st.sampled_from(Frequency))
def test_never_from_the_future(
    start: date | None,
    train_start: date | None,
    train_end: date | None,
    horizon: int,
    frequency: Frequency,
) -> None:
    calendar = Calendar("Europe/London")
    closed = day_number(CLOSED)
    if frequency is Frequency.HOURLY:
        closed = calendar.midnight(closed)
    try:
        plan = schedule(
            frequency,
            closed,
            calendar,
            horizon=horizon,
            start=start,
            train_start=train_start,
            train_end=train_end,
        )
    except BadRequest:
        return
    assert plan.origin <= min(plan.first, closed)
    assert plan.steps >= 1
    past = plan.past(History(frequency, closed - 100, np.ones(100)))
    assert not len(past.values) or past.end <= plan.origin


def test_a_day_of_23_hours_has_23() -> None:
    calendar = Calendar("Europe/London")
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)):
        closed = calendar.midnight(day_number(day))
        plan = schedule(Frequency.HOURLY, closed, calendar, horizon=1, start=day)
        assert (plan.steps, plan.gap) == (hours, 0)


def test_three_hundred_days_after_the_last_are_the_limit() -> None:
    def plan(start: date, horizon: int) -> int:
        closed = day_number(CLOSED)
        return schedule(Frequency.DAILY, closed, Calendar(), horizon=horizon, start=start).gap

    assert plan(CLOSED + timedelta(days=10), 290) == 10
    with pytest.raises(BadRequest, match="more than 300 days after 2026-02-28"):
        plan(CLOSED + timedelta(days=10), 291)
    assert plan(date(2020, 1, 1), 300) == 0
