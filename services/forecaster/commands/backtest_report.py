"""What a backtest leaves behind: a table, a JSON document, a CSV file of every forecast."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from services.forecaster.domain.forecasting.distribution import QUANTILES
from services.forecaster.domain.forecasting.series import Frequency, day_of, hour_of
from services.forecaster.domain.judging.backtest import Trial, summarise
from services.forecaster.domain.judging.metrics import LEAD_BUCKETS, bucket_name

NUMBERS = (
    "mase",
    "relative_mase",
    "wape",
    "pinball",
    "relative_pinball",
    "coverage_80",
    "coverage_95",
    "cpu_ms_per_fit",
)
NAMES = tuple(bucket_name(bucket) for bucket in LEAD_BUCKETS)
Buckets = dict[str, dict[str, float]]


def buckets_of(trials: Sequence[Trial]) -> Buckets:
    """Numbers per lead bucket that was reached."""
    found = {name: summarise(trials, name) for name in NAMES}
    return {name: numbers for name, numbers in found.items() if numbers is not None}


def by_series(trials: Sequence[Trial]) -> dict[str, Buckets]:
    """Numbers per series and lead bucket."""
    grouped: dict[str, list[Trial]] = {}
    for trial in trials:
        grouped.setdefault(trial.series, []).append(trial)
    return {name: buckets_of(found) for name, found in sorted(grouped.items())}


def document(
    settings: Mapping[str, Any],
    trials: Mapping[str, Sequence[Trial]],
    skipped: Mapping[str, str],
) -> dict[str, Any]:
    """The JSON answer. trials: per method, the first is the one that serves."""
    ours, *others = trials
    return {
        **settings,
        "buckets": buckets_of(trials[ours]),
        "series": by_series(trials[ours]),
        "baselines": {name: buckets_of(trials[name]) for name in others},
        "skipped": dict(skipped),
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """One JSON document with a newline at its end."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_forecasts(path: Path, trials: Sequence[Trial]) -> None:
    """Every step forecast, its outcome, mean and quantiles: anyone may score it another way."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        levels = [f"{level:g}".removeprefix("0") for level in QUANTILES]
        writer.writerow(["unique_id", "origin", "ds", "y", "mean", *levels])
        for trial in trials:
            frequency = trial.forecast.frequency
            origin = stamp(frequency, trial.origin)
            for lead, actual in enumerate(trial.actuals):
                numbers = [trial.forecast.mean[lead], *trial.forecast.quantiles[lead]]
                writer.writerow(
                    [
                        trial.series,
                        origin,
                        stamp(frequency, trial.origin + 1 + lead),
                        f"{actual:g}" if np.isfinite(actual) else "",
                        *(f"{number:.6g}" for number in numbers),
                    ]
                )


def stamp(frequency: Frequency, step: int) -> str:
    """A step as it is written in a file: date, or UTC time without an offset."""
    if frequency is Frequency.DAILY:
        return day_of(step).isoformat()
    return hour_of(step).strftime("%Y-%m-%d %H:%M:%S")


def table(trials: Mapping[str, Sequence[Trial]]) -> Table:
    """Methods beside each other per lead bucket; all ratios are against the seasonal naive."""
    shown = Table(title="Rolling-origin backtest (relative: below 1 beats the seasonal naive)")
    for heading in ("leads", "method", *NUMBERS, "forecasts"):
        shown.add_column(heading, justify="left" if heading in ("leads", "method") else "right")
    found = {name: buckets_of(part) for name, part in trials.items()}
    for bucket in NAMES:
        for method, buckets in found.items():
            if bucket in buckets:
                numbers = buckets[bucket]
                cells = [f"{numbers[name]:.4g}" for name in NUMBERS]
                shown.add_row(bucket, method, *cells, str(int(numbers["forecasts"])))
    return shown


def print_table(trials: Mapping[str, Sequence[Trial]], console: Console) -> None:
    """Print the table, wide enough for a pipe to keep whole rows."""
    console.print(table(trials))
