"""Arrivals: the week, the day, the incidents, and the rate they keep on average."""

import itertools
from collections import Counter

import pytest

from services.simulator.domain.arrivals import DAY, Arrivals, profile


def test_the_profile_means_one_over_a_week() -> None:
    steps = 7 * 24 * 60
    mean = sum(profile(n * 7 * DAY / steps) for n in range(steps)) / steps
    assert mean == pytest.approx(1, abs=0.01)


def test_nights_and_weekends_are_quiet() -> None:
    monday = [profile(hour * 3600) for hour in range(24)]
    assert max(monday) == monday[9]
    assert max(monday) > 8 * min(monday)
    assert profile(5 * DAY + 10 * 3600) < profile(10 * 3600) / 3


def test_counts_follow_the_profile() -> None:
    rate, weeks = 0.01, 12
    span = weeks * 7 * DAY
    usual = [
        arrival
        for arrival in itertools.takewhile(lambda a: a.seconds < span, Arrivals(1, rate, ("vpn",)))
        if arrival.surge is None
    ]
    assert len(usual) == pytest.approx(rate * span, rel=0.03)
    by_hour = Counter(int(a.seconds % DAY // 3600) for a in usual)
    assert by_hour[9] > 6 * by_hour[2]
    by_day = Counter(a.at.weekday() for a in usual)
    assert min(by_day, key=lambda day: by_day[day]) in {5, 6}


def test_incidents_bring_one_topic_at_a_time() -> None:
    arrivals = itertools.takewhile(
        lambda a: a.seconds < 60 * DAY, Arrivals(1, 0.01, ("vpn", "wifi"))
    )
    surge = [a for a in arrivals if a.surge is not None]
    assert {a.surge for a in surge} == {"vpn", "wifi"}
    hours = Counter((int(a.seconds // 3600), a.surge) for a in surge)
    # Many within an hour, where the usual load has 36 of all topics together.
    assert max(hours.values()) > 50


def test_a_level_load_has_no_hours() -> None:
    arrivals = itertools.islice(Arrivals(3, 0.05, ("vpn",), seasonal=False), 20_000)
    usual = [a for a in arrivals if a.surge is None]
    by_hour = Counter(int(a.seconds % DAY // 3600) for a in usual)
    assert max(by_hour.values()) < 1.4 * min(by_hour.values())


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_is_a_positive_number(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Arrivals(1, rate, ("vpn",))
