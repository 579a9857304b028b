"""The entry point: edges of issue-sized questions, accuracy on made-up truth, no leaks."""

from datetime import date

import numpy as np
import pytest

from services.forecaster.domain.forecasting.baselines import seasonal_naive
from services.forecaster.domain.forecasting.calendar import Calendar, weekday
from services.forecaster.domain.forecasting.events import PlannedEvent
from services.forecaster.domain.forecasting.forecast import (
    METHODS,
    HorizonError,
    MethodError,
    default_method,
    forecast,
)
from services.forecaster.domain.forecasting.series import Frequency, History, day_number, day_of

FIRST = day_number(date(2022, 1, 1))


def daily(days: int, volume: float = 40.0, seed: int = 0, first: int = FIRST) -> History:
    steps = np.arange(first, first + days)
    rhythm = np.array([1.3, 1.15, 1.1, 1.05, 1.0, 0.6, 0.5])[weekday(steps)]
    mean = volume * rhythm * (1 + 0.15 * np.cos(steps * 2 * np.pi / 365.25))
    counts = np.random.default_rng(seed).poisson(mean)
    return History(Frequency.DAILY, first, counts.astype(float))


def hourly(weeks: int, volume: float = 12.0, zone: str = "UTC", seed: int = 1) -> History:
    hours = np.arange(24 * FIRST, 24 * FIRST + weeks * 168)
    local = Calendar(zone).local_hours(hours)
    mean = volume * (1.2 + np.cos((local % 24 - 14) / 24 * 2 * np.pi))
    counts = np.random.default_rng(seed).poisson(mean)
    return History(Frequency.HOURLY, 24 * FIRST, counts.astype(float))


@pytest.mark.parametrize("horizon", [1, 7, 300])
def test_horizons_up_to_300_days_are_answered(horizon: int) -> None:
    answer = forecast(daily(500), horizon)
    assert answer.horizon == horizon
    assert answer.start == FIRST + 500
    assert answer.quantiles.shape == (horizon, 5)
    assert np.isfinite(answer.quantiles).all()
    assert (answer.quantiles >= 0).all()
    assert (np.diff(answer.quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize("horizon", [-1, 0, 301])
def test_other_horizons_are_refused(horizon: int) -> None:
    with pytest.raises(HorizonError, match="1 to 300"):
        forecast(daily(100), horizon)


def test_hourly_horizons_are_bounded_in_days_too() -> None:
    assert forecast(hourly(10), 7200).horizon == 7200
    with pytest.raises(HorizonError, match="7200"):
        forecast(hourly(10), 7201)


def test_an_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(MethodError, match="intermittent"):
        forecast(daily(100), 7, method="oracle")


@pytest.mark.parametrize("frequency", list(Frequency))
@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_an_empty_queue_is_forecast_to_stay_empty(frequency: Frequency, method: str) -> None:
    answer = forecast(History(frequency, FIRST, np.zeros(0)), 30, method=method)
    np.testing.assert_array_equal(answer.mean, np.zeros(30))
    np.testing.assert_array_equal(answer.quantiles, np.zeros((30, 5)))


def test_a_queue_that_was_never_observed_counts_as_empty() -> None:
    answer = forecast(History(Frequency.DAILY, FIRST, np.full(90, np.nan)), 7)
    assert answer.mean.sum() == 0


def test_a_queue_of_one_ticket_is_uncertain_but_small() -> None:
    answer = forecast(History(Frequency.DAILY, FIRST, np.array([1.0])), 300)
    assert 0 < answer.mean[0] <= 1.5
    assert answer.quantiles[0, 4] >= 2
    quiet = forecast(History(Frequency.DAILY, FIRST, np.array([1.0] + [0.0] * 200)), 7)
    assert quiet.mean.max() < 0.05


@pytest.mark.parametrize("days", [1, 6, 13, 20, 34, 35, 36, 60, 100])
@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_short_histories_are_answered_by_every_method(days: int, method: str) -> None:
    answer = forecast(daily(days), 28, Calendar(country="GB"), method)
    assert np.isfinite(answer.quantiles).all()
    assert answer.mean.mean() == pytest.approx(40.0, rel=0.5)


def test_a_long_zero_history_forecasts_zero() -> None:
    assert forecast(History(Frequency.DAILY, FIRST, np.zeros(400)), 30).mean.max() < 0.01


def test_gaps_do_not_count_as_zeros() -> None:
    history = daily(700)
    values = history.values.copy()
    values[::5] = np.nan
    values[300:340] = np.nan
    answer = forecast(History(Frequency.DAILY, FIRST, values), 28)
    whole = forecast(history, 28)
    np.testing.assert_allclose(answer.mean, whole.mean, rtol=0.12)


def test_leading_gaps_are_not_history() -> None:
    late = History(Frequency.DAILY, FIRST, np.append(np.full(365, np.nan), daily(60).values))
    assert forecast(late, 7).mean.mean() == pytest.approx(39.0, rel=0.2)


def test_a_leap_day_is_forecast_like_its_neighbours() -> None:
    history = daily(785, first=day_number(date(2022, 1, 1)))
    answer = forecast(history, 14)
    leap = day_number(date(2024, 2, 29)) - answer.start
    assert day_of(answer.start + leap) == date(2024, 2, 29)
    assert answer.mean[leap] == pytest.approx(answer.mean[leap - 7], rel=0.1)


def test_the_weekly_rhythm_is_found_and_beats_the_naive_one() -> None:
    history = daily(1200)
    past = history.until(FIRST + 1100)
    actual = history.values[1100:1184]
    ours = np.abs(forecast(past, 84).mean - actual).mean()
    naive = np.abs(seasonal_naive(past, 84).mean - actual).mean()
    assert ours < 0.8 * naive


def test_holidays_of_the_country_are_learned() -> None:
    history = daily(1090)
    found = Calendar(country="GB").holidays(np.arange(FIRST, history.end))
    values = history.values.copy()
    for day in found:
        if FIRST <= day < history.end:
            values[day - FIRST] *= 0.2
    past = History(Frequency.DAILY, FIRST, values).until(day_number(date(2024, 12, 10)))
    christmas = day_number(date(2024, 12, 25)) - past.end
    told = forecast(past, 28, Calendar(country="GB")).mean[christmas]
    untold = forecast(past, 28, Calendar()).mean[christmas]
    assert told < 0.6 * untold


def test_a_planned_event_is_used_before_and_after_it_was_seen() -> None:
    past = daily(400)
    day = day_of(past.end + 3)
    guess = PlannedEvent("r", "release", day, day, expected_change=1.0)
    plain = forecast(past, 7).mean
    guessed = forecast(past, 7, Calendar(events=(guess,))).mean
    assert guessed[3] == pytest.approx(2.0 * plain[3], rel=0.1)
    assert guessed[2] == pytest.approx(plain[2], rel=0.05)
    values = past.values.copy()
    spans = [
        PlannedEvent(str(n), "release", day_of(FIRST + n), day_of(FIRST + n))
        for n in (90, 200, 320)
    ]
    for span in spans:
        values[day_number(span.first_day) - FIRST] *= 3.0
    again = PlannedEvent("next", "release", day, day)
    learned = forecast(History(Frequency.DAILY, FIRST, values), 7, Calendar(events=(*spans, again)))
    assert learned.mean[3] > 1.8 * plain[3]


def test_hours_follow_the_local_clock_over_daylight_saving() -> None:
    # History ends on Saturday 2023-03-25; the clock changes on the next night.
    zone = "Europe/London"
    history = hourly(70, 2000.0, zone).until(24 * day_number(date(2023, 3, 25)))
    answer = forecast(history, 72, Calendar(zone))
    saturday, monday = answer.mean[:24], answer.mean[48:]
    # Noon is at 12 UTC on Saturday and at 11 UTC on Monday.
    np.testing.assert_allclose(monday[:23], saturday[1:], rtol=0.05)
    assert np.abs(monday / saturday - 1).max() > 0.2
    unaware = forecast(history, 72, Calendar())
    np.testing.assert_allclose(unaware.mean[48:], unaware.mean[:24], rtol=0.05)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_nothing_after_the_origin_touches_a_forecast(frequency: Frequency) -> None:
    history = daily(600) if frequency is Frequency.DAILY else hourly(30)
    origin = history.end - 100
    changed = history.values.copy()
    changed[-100:] = 1e6
    other = History(frequency, history.start, changed)
    calendar = Calendar("Europe/London", "GB")
    first = forecast(history.until(origin), 100, calendar)
    second = forecast(other.until(origin), 100, calendar)
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.quantiles, second.quantiles)
    assert history.until(origin).values.base is not None


def test_few_tickets_get_a_count_distribution() -> None:
    counts = np.random.default_rng(2).poisson(0.4, 500).astype(float)
    history = History(Frequency.DAILY, FIRST, counts)
    answer = forecast(history, 28)
    assert default_method(history) == answer.method == "intermittent"
    assert (answer.quantiles % 1 == 0).all()
    assert answer.mean.mean() == pytest.approx(0.4, rel=0.3)


def test_with_little_history_a_year_is_not_extrapolated() -> None:
    steps = np.arange(200)
    rising = 100 + 40 * np.sin(steps / 365.25 * 2 * np.pi)
    history = History(Frequency.DAILY, FIRST, np.round(rising))
    answer = forecast(history, 300)
    assert 50 < answer.mean[299] < 150
    width = answer.quantiles[:, 4] - answer.quantiles[:, 0]
    assert width[200] > 2 * width[6]


@pytest.mark.parametrize("method", ["auto", *METHODS])
@pytest.mark.parametrize("frequency", list(Frequency))
@pytest.mark.parametrize("scale", [0.01, 1.0, 1e9])
def test_wild_histories_give_finite_ordered_answers(
    frequency: Frequency, method: str, scale: float
) -> None:
    random = np.random.default_rng(11)
    for size in (1, 36, 350, 900):
        growing = np.round(scale * np.exp(np.linspace(0, 6, size)) * random.random(size))
        growing[random.random(size) < 0.2] = np.nan
        history = History(frequency, FIRST, growing)
        answer = forecast(history, 250, Calendar("Asia/Kolkata", "IN"), method)
        assert np.isfinite(answer.quantiles).all()
        assert (answer.quantiles >= 0).all()
        assert (np.diff(answer.quantiles, axis=1) >= 0).all()
        seen = growing[np.isfinite(growing)]
        assert answer.mean.max() <= 30 * (seen.max() if len(seen) else 0.0) + 30
