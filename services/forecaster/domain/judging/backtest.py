"""Rolling-origin evaluation: forecasts as they would have been made, and how they turned out."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.forecaster.domain.forecasting.baselines import seasonal_naive
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.series import FloatArray, History
from services.forecaster.domain.judging.metrics import (
    Score,
    mean_score,
    score_by_bucket,
    seasonal_scale,
)

# Past only in, forecasts of every series out: one call per origin, so that trees add up.
Forecaster = Callable[[Mapping[str, History], int], Mapping[str, ForecastDistribution]]
WEEKS_NEEDED = 2


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One forecast of one series from one origin, with what happened then.

    origin: last observed step. actuals: shape (horizon,), NaN = gap. cpu_ms: process time of the
    fit and forecast. scores, naive_scores: per lead bucket, ours and the seasonal naive's.
    """

    series: str
    origin: int
    forecast: ForecastDistribution
    actuals: FloatArray
    cpu_ms: float
    scores: Mapping[str, Score]
    naive_scores: Mapping[str, Score]


def origins_of(history: History, horizon: int, count: int, step: int) -> list[int]:
    """Ends of the pasts to forecast from, ascending: the last one leaves exactly `horizon` steps.

    Origins with less than two weeks of past are left out.
    """
    shortest = history.start + WEEKS_NEEDED * history.frequency.season
    ends = [history.end - horizon - step * back for back in range(count)]
    return [end for end in reversed(ends) if end >= shortest]


def run(
    series: Mapping[str, History],
    forecaster: Forecaster,
    *,
    horizon: int,
    origins: int,
    step: int,
) -> Iterator[Trial]:
    """Trials origin by origin. The forecaster gets `History.until(origin)` and nothing else."""
    if not series:
        return
    plans = {name: origins_of(history, horizon, origins, step) for name, history in series.items()}
    for end in sorted({end for plan in plans.values() for end in plan}):
        pasts = {name: series[name].until(end) for name, plan in plans.items() if end in plan}
        started = time.process_time()
        forecasts = forecaster(pasts, horizon)
        cpu_ms = 1000.0 * (time.process_time() - started) / len(pasts)
        for name, past in pasts.items():
            yield judge(name, past, forecasts[name], _outcome(series[name], end, horizon), cpu_ms)


def judge(
    name: str, past: History, forecast: ForecastDistribution, actuals: FloatArray, cpu_ms: float
) -> Trial:
    """Score one forecast and the seasonal naive one beside it."""
    scale = seasonal_scale(past)
    naive = seasonal_naive(past, len(actuals))
    return Trial(
        series=name,
        origin=past.end - 1,
        forecast=forecast,
        actuals=actuals,
        cpu_ms=cpu_ms,
        scores=score_by_bucket(forecast, actuals, scale),
        naive_scores=score_by_bucket(naive, actuals, scale),
    )


def _outcome(history: History, end: int, horizon: int) -> FloatArray:
    first = end - history.start
    return history.values[first : first + horizon]


def summarise(trials: Sequence[Trial], bucket: str) -> dict[str, float] | None:
    """The published numbers of one lead bucket over trials; None where no trial reaches it.

    relative_mase and relative_pinball are ratios of the means, below 1 is better than naive.
    """
    judged = [trial for trial in trials if bucket in trial.scores]
    if not judged:
        return None
    ours = mean_score(trial.scores[bucket] for trial in judged)
    naive = mean_score(trial.naive_scores[bucket] for trial in judged)
    return {
        "mase": ours.mase,
        "relative_mase": ours.mase / max(naive.mase, 1e-12),
        "wape": ours.wape,
        "pinball": ours.pinball,
        "relative_pinball": ours.scaled_pinball / max(naive.scaled_pinball, 1e-12),
        "coverage_80": ours.coverage_80,
        "coverage_95": ours.coverage_95,
        "cpu_ms_per_fit": sum(trial.cpu_ms for trial in judged) / len(judged),
        "forecasts": len(judged),
    }
