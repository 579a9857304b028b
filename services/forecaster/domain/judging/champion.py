"""Which method serves a queue: the winner of a leak-free rolling-origin backtest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.forecast import METHODS, default_method, forecast, trim
from services.forecaster.domain.forecasting.series import Frequency, History
from services.forecaster.domain.judging.backtest import Trial, run
from services.forecaster.domain.judging.metrics import mean_score

# A challenger must win by this much: smaller gaps on a handful of origins are luck, and a
# champion that changes every night makes forecasts jump.
MARGIN = 0.03


@dataclass(frozen=True, slots=True)
class Champion:
    """The method chosen, and the mean scaled pinball loss of each (lower is better).

    losses is empty where the history was too short to judge; then the default serves.
    """

    method: str
    losses: Mapping[str, float]
    trials: Mapping[str, Sequence[Trial]]


def choose(
    history: History,
    calendar: Calendar | None = None,
    *,
    horizon: int | None = None,
    origins: int = 4,
    methods: Sequence[str] = tuple(METHODS),
) -> Champion:
    """Judge `methods` on the newest part of a history, each origin seeing only its past.

    horizon: steps per origin, four weeks by default. The default method is kept unless another
    beats it by MARGIN.
    """
    trimmed = trim(history)
    default = default_method(trimmed)
    days = 24 if history.frequency is Frequency.HOURLY else 1
    lead = horizon or 28 * days
    trials = {
        method: _judge(trimmed, method, calendar or Calendar(), lead, origins)
        for method in dict.fromkeys([default, *methods])
    }
    losses = {method: loss(found) for method, found in trials.items() if found}
    if not losses:
        return Champion(default, {}, {})
    best = min(losses, key=lambda method: losses[method])
    won = losses[best] < (1.0 - MARGIN) * losses[default]
    return Champion(best if won else default, losses, trials)


def loss(trials: Sequence[Trial]) -> float:
    """Mean scaled pinball loss over forecasts and lead buckets, weighted by outcomes."""
    scores = [score for trial in trials for score in trial.scores.values()]
    return mean_score(scores, by_points=True).scaled_pinball


def _judge(
    history: History, method: str, calendar: Calendar, horizon: int, origins: int
) -> list[Trial]:
    def forecaster(pasts: Mapping[str, History], lead: int) -> Mapping[str, ForecastDistribution]:
        return {name: forecast(past, lead, calendar, method) for name, past in pasts.items()}

    return [
        trial
        for trial in run(
            {"": history}, forecaster, horizon=horizon, origins=origins, step=max(1, horizon // 2)
        )
        if trial.scores
    ]
