"""Rolling origins: which ones, what a forecaster gets to see, how results add up."""

from collections.abc import Mapping

import numpy as np
import pytest

from services.forecaster.domain.forecasting.baselines import seasonal_naive, weekly_mean
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.series import Frequency, History
from services.forecaster.domain.judging.backtest import origins_of, run, summarise
from services.forecaster.domain.judging.champion import choose


def weekly(days: int, noise: float, seed: int = 0) -> History:
    steps = np.arange(days)
    mean = 60.0 + 25.0 * np.sin(steps / 7 * 2 * np.pi)
    counts = np.maximum(mean + noise * np.random.default_rng(seed).standard_normal(days), 0)
    return History(Frequency.DAILY, 0, np.round(counts).astype(np.float64))


def test_the_last_origin_leaves_exactly_the_horizon() -> None:
    assert origins_of(weekly(100, 1.0), 28, 3, 7) == [58, 65, 72]


def test_origins_with_too_short_a_past_are_left_out() -> None:
    assert origins_of(weekly(60, 1.0), 28, 5, 14) == [18, 32]
    assert origins_of(weekly(20, 1.0), 28, 5, 14) == []


def test_a_forecaster_sees_the_past_and_nothing_else() -> None:
    history = weekly(100, 2.0)
    seen: list[int] = []

    def peeking(pasts: Mapping[str, History], horizon: int) -> dict[str, ForecastDistribution]:
        seen.append(pasts["q"].end)
        np.testing.assert_array_equal(pasts["q"].values, history.values[: pasts["q"].end])
        return {"q": seasonal_naive(pasts["q"], horizon)}

    trials = list(run({"q": history}, peeking, horizon=14, origins=3, step=7))
    assert seen == [72, 79, 86]
    for trial in trials:
        assert trial.origin == trial.forecast.start - 1
        start = trial.forecast.start
        np.testing.assert_array_equal(trial.actuals, history.values[start : start + 14])


def test_the_naive_method_scores_one_against_itself() -> None:
    def naive(pasts: Mapping[str, History], horizon: int) -> dict[str, ForecastDistribution]:
        return {name: seasonal_naive(past, horizon) for name, past in pasts.items()}

    trials = list(run({"q": weekly(200, 5.0)}, naive, horizon=30, origins=4, step=10))
    numbers = summarise(trials, "8-28")
    assert numbers is not None
    assert numbers["relative_mase"] == pytest.approx(1.0)
    assert numbers["relative_pinball"] == pytest.approx(1.0)
    assert summarise(trials, "85-300") is None


def test_the_mean_of_weeks_beats_one_noisy_week() -> None:
    def mean(pasts: Mapping[str, History], horizon: int) -> dict[str, ForecastDistribution]:
        return {name: weekly_mean(past, horizon) for name, past in pasts.items()}

    trials = list(run({"q": weekly(300, 8.0)}, mean, horizon=7, origins=10, step=7))
    numbers = summarise(trials, "1-7")
    assert numbers is not None
    assert numbers["relative_mase"] < 0.85
    assert numbers["forecasts"] == 10


def test_the_champion_is_chosen_by_past_forecasts_and_kept_in_a_tie() -> None:
    champion = choose(weekly(400, 6.0))
    assert champion.method == "pool"
    assert champion.losses["seasonal-naive"] > champion.losses["pool"]
    assert all(trial.origin < 400 for found in champion.trials.values() for trial in found)


def test_a_challenger_that_clearly_wins_is_chosen() -> None:
    # Exactly periodic over eight days: no weekly model knows it, a copy of the week is no worse.
    flat = History(Frequency.DAILY, 0, np.tile([10.0] * 7, 60))
    noisy = flat.values.copy()
    noisy[-40::5] = 400.0
    champion = choose(History(Frequency.DAILY, 0, noisy), methods=["weekly-mean", "intermittent"])
    best = min(champion.losses, key=lambda name: champion.losses[name])
    assert champion.method in {best, "pool"}
    assert champion.losses[champion.method] <= 1.031 * champion.losses[best]


def test_a_history_too_short_to_judge_gets_the_default() -> None:
    champion = choose(weekly(20, 1.0))
    assert champion.method == "intermittent"
    assert champion.losses == {}
