"""Hours to days, by the clock of the queue."""

import numpy as np

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.series import Frequency, History


def to_daily(hourly: History, calendar: Calendar) -> History:
    """Sums per local day of an hourly history; a day counts as a gap where no hour was seen."""
    if hourly.frequency is Frequency.DAILY or not len(hourly.values):
        return History(Frequency.DAILY, hourly.start, hourly.values)
    days = calendar.local_days(np.arange(hourly.start, hourly.end))
    index = days - days[0]
    sums = np.bincount(index, weights=np.nan_to_num(hourly.values))
    seen = np.bincount(index, weights=hourly.observed)
    return History(Frequency.DAILY, int(days[0]), np.where(seen > 0, sums, np.nan))
