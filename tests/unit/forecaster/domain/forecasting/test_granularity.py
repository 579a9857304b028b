"""Hours to local days."""

from datetime import date

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.granularity import to_daily
from services.forecaster.domain.forecasting.series import Frequency, History, day_number


def test_local_days_are_summed_by_the_queues_own_clock() -> None:
    calendar = Calendar("Europe/London")
    begin = calendar.midnight(day_number(date(2024, 3, 30)))
    hours = History(Frequency.HOURLY, begin, np.ones(24 + 23 + 24))
    daily = to_daily(hours, calendar)
    assert daily.start == day_number(date(2024, 3, 30))
    np.testing.assert_array_equal(daily.values, [24.0, 23.0, 24.0])


def test_days_stay_days_and_nothing_is_nothing() -> None:
    days = History(Frequency.DAILY, 5, np.ones(3))
    assert to_daily(days, Calendar("Europe/London")).start == 5
    assert len(to_daily(History(Frequency.HOURLY, 0, np.zeros(0)), Calendar()).values) == 0
