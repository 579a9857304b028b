"""Calendar design: holidays seen and unseen, planned events, leap years."""

from datetime import date

import numpy as np
import pytest

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.design import (
    calendar_design,
    holiday_columns,
    yearly_columns,
)
from services.forecaster.domain.forecasting.events import PlannedEvent, event_columns
from services.forecaster.domain.forecasting.series import day_number

FIRST = day_number(date(2023, 1, 1))


def release(identifier: str, first: date, last: date, change: float | None = None) -> PlannedEvent:
    return PlannedEvent(identifier, "release", first, last, change)


def test_columns_and_priors_have_one_entry_per_effect() -> None:
    days = np.arange(FIRST, FIRST + 400)
    event = release("r1", date(2023, 5, 1), date(2023, 5, 3), 0.5)
    design = calendar_design(days, FIRST + 300, Calendar(country="GB", events=(event,)))
    columns = design.matrix.shape[1]
    assert design.prior_scale.shape == design.prior_mean.shape == design.slow.shape == (columns,)
    assert design.prior_mean[-1] == pytest.approx(np.log(1.5))


def test_a_feast_gets_its_own_column_only_after_it_was_seen() -> None:
    days = np.arange(FIRST, FIRST + 365)
    before_easter = holiday_columns(days, day_number(date(2023, 4, 1)), Calendar(country="GB"))
    after_easter = holiday_columns(days, day_number(date(2023, 4, 15)), Calendar(country="GB"))
    assert after_easter.shape[1] == before_easter.shape[1] + 1


def test_the_yearly_cycle_takes_leap_days_in_its_stride() -> None:
    leap = yearly_columns(np.array([day_number(date(2024, 2, 29)), day_number(date(2024, 3, 1))]))
    assert np.abs(leap[1] - leap[0]).max() < 0.1
    year_later = yearly_columns(np.array([day_number(date(2025, 3, 1))]))
    np.testing.assert_allclose(leap[1], year_later[0], atol=0.02)


def test_events_of_one_kind_share_a_column() -> None:
    events = (
        release("a", date(2023, 1, 2), date(2023, 1, 2)),
        release("b", date(2023, 1, 4), date(2023, 1, 5)),
    )
    columns = event_columns(np.arange(FIRST, FIRST + 6), events)
    np.testing.assert_array_equal(columns[:, 0], [0, 1, 0, 1, 1, 0])


def test_an_event_must_make_sense() -> None:
    with pytest.raises(ValueError, match="end before it begins"):
        release("a", date(2023, 1, 2), date(2023, 1, 1))
    with pytest.raises(ValueError, match="greater than -1"):
        release("a", date(2023, 1, 1), date(2023, 1, 1), -1.0)
