"""Prior scales by evidence: strong effects may be strong, noise teaches none."""

from datetime import date

import numpy as np
import pytest

from services.forecaster.domain.forecasting import ridge
from services.forecaster.domain.forecasting.calendar import Calendar, year_angle
from services.forecaster.domain.forecasting.design import calendar_design
from services.forecaster.domain.forecasting.ridge import fit_at_origins
from services.forecaster.domain.forecasting.scales import scale_factors
from services.forecaster.domain.forecasting.series import FloatArray, day_number

FIRST = day_number(date(2022, 1, 1))
PENALTY = np.array([1e-6, 4.0, 4.0])


def factors(effect: float, days: int, noise: float = 1.0) -> FloatArray:
    """Of a level and two effects that share a scale, one of them `effect` in size."""
    random = np.random.default_rng(5)
    matrix = np.column_stack([np.ones(days), random.standard_normal((days, 2))])
    counts = 3.0 + effect * matrix[:, 1] + noise * random.standard_normal(days)
    kinds = [(np.array([1, 2]), noise**2), (np.array([], dtype=np.int64), noise**2)]
    return scale_factors(matrix.T @ matrix, matrix.T @ counts, PENALTY, np.zeros(3), kinds)


def test_a_strong_effect_widens_its_scale_and_noise_narrows_it() -> None:
    strong, none = factors(3.0, 400), factors(0.0, 400)
    assert strong[1] == strong[2] > 2.0
    assert none[1] == none[2] < 0.5
    assert strong[0] == none[0] == 1.0


def test_few_days_say_little() -> None:
    assert factors(0.5, 3)[1] == pytest.approx(1.0, abs=0.3)


def test_the_evidence_is_that_of_the_counts_distribution() -> None:
    """Scales against the density of a normal with the covariance that a prior scale implies."""
    random = np.random.default_rng(8)
    matrix, counts = random.standard_normal((6, 1)), random.standard_normal(6)
    found = scale_factors(
        matrix.T @ matrix, matrix.T @ counts, np.array([2.0]), np.zeros(1), [(np.array([0]), 1.0)]
    )
    tried = np.array([0.2, 0.45, 1.0, 2.2, 5.0])
    logs = []
    for factor in tried:
        covariance = np.eye(6) + matrix @ matrix.T * factor**2 / 2.0
        density = -0.5 * (
            np.linalg.slogdet(covariance)[1] + counts @ np.linalg.solve(covariance, counts)
        )
        logs.append(density - 0.5 * (np.log(factor) / 0.8) ** 2)
    chances = np.exp(np.array(logs) - max(logs))
    assert found[0] == pytest.approx(np.exp(chances @ np.log(tried) / chances.sum()))


@pytest.mark.parametrize(("days", "moved"), [(800, True), (300, False)])
def test_scales_follow_the_evidence_once_a_year_was_seen(
    monkeypatch: pytest.MonkeyPatch, days: int, moved: bool
) -> None:
    steps = np.arange(FIRST, FIRST + days)
    walk = np.cumsum(0.05 * np.random.default_rng(4).standard_normal(days))
    mean = np.exp(3.5 + 0.9 * np.cos(year_angle(steps)) + walk)
    counts = np.random.default_rng(3).poisson(mean).astype(np.float64)
    design = calendar_design(steps, FIRST + days, Calendar())
    adapted = fit_at_origins(design, counts, np.array([days])).coefficients[0]
    monkeypatch.setattr(ridge, "FEWEST_DAYS", days + 1)
    fixed = fit_at_origins(design, counts, np.array([days])).coefficients[0]
    assert bool(np.abs(adapted - fixed)[design.slow].max() > 0.01) is moved
