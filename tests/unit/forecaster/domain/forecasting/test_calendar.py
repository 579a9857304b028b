"""Calendar: local hours over daylight saving, holidays, unknown names."""

from datetime import date, datetime

import numpy as np
import pytest

from services.forecaster.domain.forecasting.calendar import Calendar, CalendarError, weekday
from services.forecaster.domain.forecasting.series import day_number, hour_number


def hours_from(stamp: str, count: int) -> np.ndarray:
    return np.arange(count) + hour_number(datetime.fromisoformat(stamp + "Z"))


def test_hour_of_week_starts_on_monday_midnight_local() -> None:
    # 2024-07-01 was a Monday; London is at UTC+1 in July.
    cells = Calendar("Europe/London").hour_of_week(hours_from("2024-06-30T23", 3))
    np.testing.assert_array_equal(cells, [0, 1, 2])


def test_the_clock_skips_an_hour_in_spring_and_repeats_one_in_autumn() -> None:
    london = Calendar("Europe/London")
    spring = london.local_hours(hours_from("2024-03-31T00", 3)) % 24
    autumn = london.local_hours(hours_from("2024-10-27T00", 3)) % 24
    np.testing.assert_array_equal(spring, [0, 2, 3])
    np.testing.assert_array_equal(autumn, [1, 1, 2])


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/London", date(2024, 3, 31), 23),
        ("Europe/London", date(2024, 10, 27), 25),
        ("America/New_York", date(2024, 7, 1), 24),
        ("UTC", date(2024, 2, 29), 24),
    ],
)
def test_local_days_are_as_long_as_the_clock_makes_them(zone: str, day: date, length: int) -> None:
    calendar = Calendar(zone)
    number = day_number(day)
    begin, end = calendar.midnight(number), calendar.midnight(number + 1)
    assert end - begin == length
    assert set(calendar.local_days(np.arange(begin, end))) == {number}


def test_southern_zones_have_their_summer_in_january() -> None:
    sydney = Calendar("Australia/Sydney")
    january = sydney.local_hours(hours_from("2024-01-15T00", 1)) % 24
    july = sydney.local_hours(hours_from("2024-07-15T00", 1)) % 24
    assert (january[0], july[0]) == (11, 10)


def test_weekdays_count_from_monday() -> None:
    assert weekday(
        np.array([day_number(date(2024, 7, 1)), day_number(date(2024, 7, 7))])
    ).tolist() == [0, 6]


def test_a_substitute_day_shares_the_name_of_its_feast() -> None:
    days = np.arange(day_number(date(2017, 1, 1)), day_number(date(2017, 1, 10)))
    found = Calendar(country="US").holidays(days)
    assert found[day_number(date(2017, 1, 1))] == found[day_number(date(2017, 1, 2))]


def test_no_country_has_no_holidays() -> None:
    assert Calendar().holidays(np.array([0])) == {}


def test_unknown_names_are_refused_at_once() -> None:
    with pytest.raises(CalendarError, match="unknown time zone"):
        Calendar(timezone="Mars/Base")
    with pytest.raises(CalendarError, match="no holidays"):
        Calendar(country="ZZ")
