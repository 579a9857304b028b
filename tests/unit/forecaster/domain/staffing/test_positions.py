"""Staffing: published reference values, limits, and simulation of both kinds of channel."""

import heapq

import numpy as np
import pytest

from services.forecaster.domain.staffing.drain import drain, positions_to_drain, sampled_arrivals
from services.forecaster.domain.staffing.erlang import erlang_a, erlang_b, erlang_c
from services.forecaster.domain.staffing.positions import (
    ServiceTarget,
    StaffingError,
    plan,
    positions_for,
)

CALLS = ServiceTarget(180.0, 20.0, 0.8, shrinkage=0.3)


def test_the_well_known_reference_value() -> None:
    staffing = positions_for(100, 1800.0, CALLS)
    assert (staffing.raw, staffing.scheduled) == (14, 20)
    assert staffing.line.service_level == pytest.approx(0.888, abs=5e-4)
    assert staffing.line.waiting_probability == pytest.approx(0.1741, abs=5e-4)
    assert staffing.line.occupancy == pytest.approx(0.714, abs=5e-4)


def test_one_position_less_would_break_the_promise() -> None:
    assert erlang_c(10.0, 13, 180.0, 20.0).service_level < 0.8


def test_erlang_b_of_textbooks() -> None:
    assert erlang_b(10.0, 10) == pytest.approx(0.2146, abs=1e-4)
    assert erlang_b(2.0, 0) == 1.0


def test_an_overloaded_line_never_answers_in_time() -> None:
    line = erlang_c(10.0, 10, 180.0, 20.0)
    assert (line.service_level, line.mean_wait) == (0.0, float("inf"))


def test_infinitely_patient_contacts_make_erlang_a_into_c() -> None:
    patient, waiting = erlang_a(10.0, 13, 180.0, 20.0, 1e6), erlang_c(10.0, 13, 180.0, 20.0)
    assert patient.service_level == pytest.approx(waiting.service_level, abs=2e-3)
    assert patient.abandonment < 1e-3


def simulated(positions: int, patience: float, contacts: int = 60_000) -> tuple[float, float]:
    """Share answered within 20 s and share that gives up: 10 erlangs, 180 s handling."""
    random = np.random.default_rng(4)
    arrivals = np.cumsum(random.exponential(18.0, contacts))
    services, patiences = (
        random.exponential(180.0, contacts),
        random.exponential(patience, contacts),
    )
    free = [0.0] * positions
    in_time = gone = 0
    for arrival, service, limit in zip(arrivals, services, patiences, strict=True):
        start = max(arrival, free[0])
        if start - arrival > limit:
            gone += 1
            continue
        heapq.heapreplace(free, start + service)
        in_time += start - arrival <= 20.0
    return in_time / contacts, gone / contacts


@pytest.mark.parametrize(("positions", "patience"), [(9, 60.0), (11, 120.0), (13, 30.0)])
def test_erlang_a_agrees_with_a_simulated_line(positions: int, patience: float) -> None:
    line = erlang_a(10.0, positions, 180.0, 20.0, patience)
    in_time, gone = simulated(positions, patience)
    assert line.service_level == pytest.approx(in_time, abs=0.015)
    assert line.abandonment == pytest.approx(gone, abs=0.01)


def test_impatience_needs_fewer_positions() -> None:
    hasty = ServiceTarget(180.0, 20.0, 0.8, patience=60.0)
    assert positions_for(100, 1800.0, hasty).raw < positions_for(100, 1800.0, CALLS).raw


def test_quiet_intervals_need_nobody_and_plans_follow_the_forecast() -> None:
    staffing = plan([0.0, 10.0, 200.0], 1800.0, CALLS)
    assert staffing[0].raw == staffing[0].scheduled == 0
    assert staffing[1].raw < staffing[2].raw


def test_occupancy_can_be_limited() -> None:
    relaxed = ServiceTarget(180.0, 600.0, 0.5, max_occupancy=0.7)
    assert positions_for(100, 1800.0, relaxed).line.occupancy <= 0.7


@pytest.mark.parametrize(
    "wrong",
    [
        {"handling_seconds": 0.0},
        {"answer_within": -1.0},
        {"service_level": 1.0},
        {"shrinkage": 1.0},
        {"max_occupancy": 0.0},
        {"patience": 0.0},
    ],
)
def test_impossible_targets_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(StaffingError):
        ServiceTarget(**{"handling_seconds": 60.0, "answer_within": 20.0, **wrong})


@pytest.mark.parametrize(("contacts", "seconds"), [(-1.0, 1800.0), (1e12, 1800.0), (1.0, 0.0)])
def test_impossible_loads_are_refused(contacts: float, seconds: float) -> None:
    with pytest.raises(StaffingError):
        positions_for(contacts, seconds, CALLS)


def test_a_backlog_drains_first_come_first_served() -> None:
    arrivals = np.array([[10.0, 10.0, 0.0, 0.0]])
    result = drain(arrivals, np.full(4, 6.0), backlog=4.0, due_intervals=1, service_level=0.9)
    # Came: 14, 24, 24, 24; done: 6, 12, 18, 24, so 2 of the first ten and 6 of the next are late.
    np.testing.assert_allclose(result.backlog, [8.0, 12.0, 6.0, 0.0])
    np.testing.assert_allclose(result.late_share[:2], [0.2, 0.6])
    assert result.breach_probability == 1.0


def test_enough_capacity_is_never_late() -> None:
    arrivals = np.random.default_rng(1).poisson(10.0, (200, 24)).astype(float)
    result = drain(arrivals, np.full(24, 40.0), backlog=0.0, due_intervals=2, service_level=0.95)
    assert result.breach_probability == 0.0
    assert result.late_share.max() == 0.0


def test_the_fewest_positions_are_found_that_breach_rarely_enough() -> None:
    arrivals = np.random.default_rng(2).poisson(30.0, (400, 24)).astype(float)
    open_share = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 1.0, 0.0)
    positions, result = positions_to_drain(
        arrivals,
        open_share,
        tickets_per_position=6.0,
        backlog=20.0,
        due_intervals=24,
        service_level=0.9,
    )
    assert result.breach_probability <= 0.05
    fewer = drain(
        arrivals,
        (positions - 1) * 6.0 * open_share,
        backlog=20.0,
        due_intervals=24,
        service_level=0.9,
    )
    assert fewer.breach_probability > 0.05


def test_a_channel_that_is_never_open_cannot_be_staffed() -> None:
    with pytest.raises(StaffingError, match="no number of positions"):
        positions_to_drain(
            np.ones((10, 4)),
            np.zeros(4),
            tickets_per_position=5.0,
            backlog=0.0,
            due_intervals=1,
            service_level=0.9,
        )


def test_arrivals_are_drawn_from_the_forecast_quantiles() -> None:
    quantiles = np.tile([5.0, 8.0, 12.0, 17.0, 22.0], (6, 1))
    draws = sampled_arrivals(quantiles, 20_000, seed=3)
    np.testing.assert_allclose(
        np.quantile(draws[:, 0], [0.025, 0.1, 0.5, 0.9, 0.975]), quantiles[0], rtol=0.06
    )
    assert np.corrcoef(draws[:, 0], draws[:, 5])[0, 1] > 0.3
    np.testing.assert_array_equal(draws, sampled_arrivals(quantiles, 20_000, seed=3))
