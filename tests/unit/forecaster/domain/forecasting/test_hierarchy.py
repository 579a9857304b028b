"""Trees of series: sums in the past and in the forecast."""

import numpy as np
import pytest

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.forecast import forecast
from services.forecaster.domain.forecasting.hierarchy import (
    Hierarchy,
    HierarchyError,
    forecast_tree,
    reconciled,
    with_parents,
)
from services.forecaster.domain.forecasting.series import Frequency, History

TREE = Hierarchy({"a1": "a", "a2": "a", "a": "all", "b": "all"})


def leaf(mean: float, seed: int) -> History:
    counts = np.random.default_rng(seed).poisson(mean, 200)
    return History(Frequency.DAILY, 0, counts.astype(float))


LEAVES = {"a1": leaf(20.0, 1), "a2": leaf(30.0, 2), "b": leaf(10.0, 3)}


def test_parents_come_after_their_children() -> None:
    assert TREE.bottom_up() == ["a", "all"]
    assert TREE.children() == {"a": ["a1", "a2"], "all": ["a", "b"]}


def test_every_ticket_is_counted_once_at_each_level() -> None:
    series = with_parents(LEAVES, TREE)
    total = sum(history.values for history in LEAVES.values())
    np.testing.assert_array_equal(series["all"].values, total)


def test_data_of_a_parent_does_not_replace_the_sum() -> None:
    series = with_parents({**LEAVES, "a": leaf(999.0, 4)}, TREE)
    np.testing.assert_array_equal(series["a"].values, LEAVES["a1"].values + LEAVES["a2"].values)


def test_forecast_means_add_up_and_parents_keep_their_own_spread() -> None:
    series = with_parents(LEAVES, TREE)
    base = {name: forecast(history, 28) for name, history in series.items()}
    result = forecast_tree(series, TREE, lambda history: forecast(history, 28))
    leaves = sum(result[name].mean for name in LEAVES)
    np.testing.assert_allclose(result["all"].mean, leaves)
    own = base["all"].quantiles[:, 4] - base["all"].quantiles[:, 0]
    kept = result["all"].quantiles[:, 4] - result["all"].quantiles[:, 0]
    np.testing.assert_allclose(kept, own, rtol=0.1)
    summed = sum(base[name].quantiles[:, 4] - base[name].quantiles[:, 0] for name in LEAVES)
    assert kept.mean() < 0.8 * np.mean(summed)


def test_a_parent_with_a_child_missing_keeps_its_own_forecast() -> None:
    one = ForecastDistribution(Frequency.DAILY, 0, np.ones(2), np.ones((2, 5)), "x")
    assert reconciled({"a1": one, "a": one}, TREE)["a"] is one


@pytest.mark.parametrize(
    "parents", [{"a": "a"}, {"a": "b", "b": "a"}, {"x": "a", "a": "b", "b": "a"}]
)
def test_loops_are_refused(parents: dict[str, str]) -> None:
    with pytest.raises(HierarchyError, match="own ancestor"):
        Hierarchy(parents)


def test_a_child_without_data_is_named() -> None:
    with pytest.raises(HierarchyError, match="'b'"):
        with_parents({"a1": LEAVES["a1"], "a2": LEAVES["a2"]}, TREE)
