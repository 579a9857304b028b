"""What a forecast is: a mean and five quantiles per step."""

from dataclasses import dataclass

import numpy as np

from services.forecaster.domain.forecasting.series import FloatArray, Frequency

QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
MEDIAN = QUANTILES.index(0.5)
# How far the end of an interval reaches for a whole count.
_REACH = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class ForecastDistribution:
    """Forecast of steps `start` .. `start + horizon - 1` of a series.

    mean: shape (horizon,). quantiles: shape (horizon, 5) at QUANTILES, ascending, not negative.
    method: name of the champion that made it.
    """

    frequency: Frequency
    start: int
    mean: FloatArray
    quantiles: FloatArray
    method: str

    @property
    def horizon(self) -> int:
        """Number of steps forecast."""
        return len(self.mean)


def ordered(quantiles: FloatArray) -> FloatArray:
    """Quantiles made ascending along the last axis and cut at zero: counts are neither."""
    cut: FloatArray = np.maximum(np.sort(quantiles, axis=-1), 0.0)
    return cut


def rounded(quantiles: FloatArray) -> FloatArray:
    """Ends of the intervals moved to whole counts, shape (n, 5).

    An end reaches for a count it misses by up to 0.3. Always rounding outward would make a
    nominal 80 % interval of small counts cover 95 % of them (measured on made-up counts of 2 to
    8 a day: 0.91 to 0.87 outward, 0.88 to 0.84 so, nominal on average where not rounded at all).
    """
    result = quantiles.copy()
    result[:, :MEDIAN] = np.ceil(quantiles[:, :MEDIAN] - _REACH)
    result[:, MEDIAN + 1 :] = np.floor(quantiles[:, MEDIAN + 1 :] + _REACH)
    return ordered(result)


def recentred(distribution: ForecastDistribution, mean: FloatArray) -> ForecastDistribution:
    """The same spread around another mean: how a parent keeps its own residuals (bottom-up sum).

    The spread grows with the square root of the mean, as Pearson residuals do.
    """
    ratio = np.sqrt((mean + 0.5) / (distribution.mean + 0.5))[:, None]
    spread = (distribution.quantiles - distribution.mean[:, None]) * ratio
    return ForecastDistribution(
        distribution.frequency,
        distribution.start,
        mean,
        rounded(ordered(mean[:, None] + spread)),
        distribution.method,
    )
