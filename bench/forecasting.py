"""Forecasting: accuracy beside baselines, coverage, surges found, and the cost of each step.

Made-up series are judged on other seeds than hyper-parameters were chosen on. The page-view, bike
and taxi series, read from $DESKSTREAM_DATA (default ../shared/data) and left out without it, were
looked at while choosing: their figures show how we compare, they are not held out.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from bench.boosting import compared
from bench.emergency import COUNTRY, EmergencyCalls, arrivals_per_hour, emergency_calls
from bench.row import Row, row
from bench.surge_injection import alerts, injected, judge
from services.forecaster.commands.libraries import library_forecasters
from services.forecaster.commands.series_file import read_series
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.forecast import forecast
from services.forecaster.domain.forecasting.granularity import to_daily
from services.forecaster.domain.forecasting.hierarchy import Hierarchy, forecast_tree, with_parents
from services.forecaster.domain.forecasting.profile import ProfileBank
from services.forecaster.domain.forecasting.series import FloatArray, Frequency, History
from services.forecaster.domain.judging.backtest import Forecaster, Trial, run, summarise

SEEDS = (101, 102, 103)
NAIVE = "seasonal naive"
LONDON = Calendar("Europe/London", COUNTRY)
NEW_YORK = Calendar(country="US")  # these files are stamped by the wall clock
NEAR = ("1-7", "8-28", "29-84")
SPANS = {"coverage_80": (0.77, 0.88), "coverage_95": (0.93, 0.98)}


def rows(quick: bool) -> list[Row]:
    """Every number of the forecasting domain that needs neither Redis nor HTTP."""
    found = [*emergencies(quick), *public_daily(quick), *hourly(quick), *surges(quick)]
    return [*found, *costs(quick)]


def within(name: str, value: float, bounds: tuple[float, float]) -> Row:
    """A row whose target is a span."""
    low, high = bounds
    found = row(name, value, "share")
    found["target"], found["met"] = f"{low:g} to {high:g}", low <= value <= high
    return found


def serving(calendar: Calendar, tree: Hierarchy) -> Forecaster:
    """What serves, as a backtest calls it."""

    def forecast_all(pasts: Mapping[str, History], horizon: int) -> Mapping[str, object]:
        return forecast_tree(pasts, tree, partial(forecast, horizon=horizon, calendar=calendar))

    return forecast_all  # type: ignore[return-value]


def mean_of(trials: list[Trial], number: str) -> float:
    """Days 1 to 84, each lead bucket weighing as many days as it has."""
    widths = {"1-7": 7, "8-28": 21, "29-84": 56}
    found = {name: summarise(trials, name) for name in NEAR}
    known = {name: numbers for name, numbers in found.items() if numbers is not None}
    total = sum(widths[name] for name in known)
    return sum(widths[name] * numbers[number] for name, numbers in known.items()) / total


def relative(trials: list[Trial], number: str) -> tuple[float, float]:
    """Days 1 to 84: ours, and the seasonal naive method's on the same days."""
    naive = [replace(trial, scores=trial.naive_scores) for trial in trials]
    return mean_of(trials, number), mean_of(naive, number)


def floors_of(made: EmergencyCalls, trials: list[Trial]) -> FloatArray:
    """Ratios to the naive method of the true mean and of the knowable one, shape (2,)."""
    errors: FloatArray = np.mean([made.errors(trial) for trial in trials], axis=0)
    return errors / relative(trials, "mase")[1]


def emergencies(quick: bool) -> list[Row]:
    """Made-up emergency calls by board x priority, and their sums."""
    trials: dict[str, list[Trial]] = {"board x priority": [], "boards and total": []}
    far: list[Trial] = []
    floors: list[FloatArray] = []
    for seed in SEEDS[: 1 if quick else None]:
        made = emergency_calls(seed)
        series = with_parents(made.leaves, made.tree)
        forecaster = serving(LONDON, made.tree)
        judged = list(run(series, forecaster, horizon=84, origins=1 if quick else 6, step=45))
        leaves = [trial for trial in judged if trial.series in made.leaves]
        trials["board x priority"] += leaves
        trials["boards and total"] += [each for each in judged if each not in leaves]
        floors.append(floors_of(made, leaves))
        far += run(series, forecaster, horizon=300, origins=1 if quick else 2, step=60)
    least, knowable = np.mean(floors, axis=0)
    found = row("emergency calls, all known but steps to come, MASE", float(knowable), "ratio")
    return [*near_rows(trials, float(least)), found, *far_rows(far)]


def near_rows(trials: Mapping[str, list[Trial]], floor: float) -> list[Row]:
    """Days 1 to 84 of emergency calls. floor: the leaves' ratio with the true mean."""
    found = []
    for name, part in trials.items():
        ours, naive = relative(part, "mase")
        leaf = name == "board x priority"
        found.append(
            row(
                f"emergency calls, {name}, MASE h 1-84 / naive's",
                ours / naive,
                "ratio",
                baseline="the true mean" if leaf else NAIVE,
                baseline_value=floor if leaf else 1.0,
                at_most=0.70,
            )
        )
        found += [
            within(f"emergency calls, {name}, {number}", mean_of(part, number), bounds)
            for number, bounds in SPANS.items()
        ]
    return found


def far_rows(far: list[Trial]) -> list[Row]:
    """Days 85 to 300 of emergency calls."""
    found: list[Row] = []
    numbers = summarise(far, "85-300")
    if numbers is not None:
        found.append(
            row(
                "emergency calls, h 85-300, MASE",
                numbers["mase"],
                "MASE",
                baseline=NAIVE,
                baseline_value=numbers["mase"] / numbers["relative_mase"],
            )
        )
        found.append(
            row(
                "emergency calls, h 85-300, coverage_95",
                numbers["coverage_95"],
                "share",
                at_least=0.90,
            )
        )
    return found


def data_file(name: str) -> Path | None:
    """A file of public series, or None where the data is not there."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    path = Path(os.environ.get("DESKSTREAM_DATA", beside)) / "load" / name
    return path if path.exists() else None


def public_daily(quick: bool) -> list[Row]:
    """Bikes, taxis and page views by day, beside the seasonal naive method and two libraries."""
    path = data_file("daily.csv.gz")
    if path is None:
        return []
    series = read_series(path, Frequency.DAILY).series
    methods = {"": serving(NEW_YORK, Hierarchy({}))}
    if not quick:
        methods |= library_forecasters(Frequency.DAILY)
    found: list[Row] = []
    for name, history in series.items():
        judged = {
            method: list(
                run({name: history}, forecaster, horizon=84, origins=2 if quick else 8, step=23)
            )
            for method, forecaster in methods.items()
        }
        for number in ("mase", "pinball"):
            ours, naive = relative(judged[""], number)
            found.append(
                row(f"{name}, {number} h 1-84", ours, number, baseline=NAIVE, baseline_value=naive)
            )
            found += [
                row(
                    f"{name}, {number} h 1-84",
                    ours,
                    number,
                    baseline=method,
                    baseline_value=mean_of(trials, number),
                )
                for method, trials in judged.items()
                if method
            ]
        found += [
            within(f"{name}, {number} h 1-84", mean_of(judged[""], number), bounds)
            for number, bounds in SPANS.items()
        ]
    return found


def hourly(quick: bool) -> list[Row]:
    """Two days ahead from every twelfth hour, beside boosting refitted every four weeks."""
    series = {"made-up arrivals": (arrivals_per_hour(SEEDS[0]), LONDON)}
    path = data_file("hourly.csv.gz")
    if path is not None and not quick:
        public = read_series(path, Frequency.HOURLY).series
        series |= {name: (history, NEW_YORK) for name, history in public.items()}
    found: list[Row] = []
    for name, (history, calendar) in series.items():
        refits = 1 if quick or len(history.values) < 40 * 168 else 3
        ours, boosted, inside, wide = compared(history, calendar, refits, 36 if quick else 12)
        found.append(
            row(
                f"hourly {name}, pinball h 1-48 / boosting's",
                ours / boosted,
                "ratio",
                baseline="gradient boosting, monthly refit",
                baseline_value=1.0,
                at_most=1.02,
            )
        )
        found.append(within(f"hourly {name}, coverage_80", inside, SPANS["coverage_80"]))
        found.append(within(f"hourly {name}, coverage_95", wide, SPANS["coverage_95"]))
    return found


def surges(quick: bool) -> list[Row]:
    """Injected surges in made-up queues of 5 to 60 tickets an hour."""
    volumes = (5.0, 8.0, 14.0, 25.0, 40.0, 60.0)
    weeks = 26 if quick else 80
    made = [arrivals_per_hour(SEEDS[0] + i, weeks, volume) for i, volume in enumerate(volumes)]
    hours = np.arange(made[0].start, made[0].end)
    cells = np.tile(LONDON.hour_of_week(hours), (len(made), 1))
    counts, wanted = injected(np.array([each.values for each in made]), SEEDS[1])
    result = judge(alerts(counts, cells), wanted, counts.shape[1])
    names = {factor: f"surges x{factor:g} found" for factor in result.recall}
    found = [
        row(names[factor], recall, "recall", at_least=0.70 if factor == 2.0 else None)
        for factor, recall in sorted(result.recall.items())
    ]
    found.append(row("false surge alerts", result.false_alerts, "per queue-week", at_most=0.5))
    return [*found, row("surge delay", result.delay, "hours")]


def cpu_ms(work: Callable[[], object], repeats: int) -> float:
    """Median process time of one call in milliseconds."""
    work()
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        taken.append(1000.0 * (time.process_time() - started))
    return float(np.median(taken))


def costs(quick: bool) -> list[Row]:
    """Fit on demand, nightly refit, window update; CPU time of one thread."""
    repeats = 5 if quick else 25
    hours = arrivals_per_hour(SEEDS[2], weeks=157)
    days = to_daily(hours, LONDON)
    demand = cpu_ms(lambda: forecast(to_daily(hours, LONDON), 300, LONDON), repeats)
    refit = cpu_ms(lambda: (forecast(days, 300, LONDON), forecast(hours, 336, LONDON)), repeats)
    queues = 1000
    bank, ones = ProfileBank.empty(queues), np.ones(queues)
    counts = np.random.default_rng(SEEDS[0]).poisson(5.0, queues).astype(np.float64)
    cells = np.arange(queues) % 168
    update = cpu_ms(lambda: bank.update(cells, counts, ones), 10 * repeats)
    single, one = ProfileBank.empty(1), np.ones(1)
    alone = cpu_ms(lambda: single.update(cells[:1], counts[:1], one), 40 * repeats)
    return [
        row("fit on demand, 300 days from 3 years of hours", demand, "ms CPU", at_most=25.0),
        row("refit of one queue, days and hours", refit, "ms CPU", at_most=35.0),
        row("refit of 1,000 queues (extrapolated)", refit, "s CPU", at_most=60.0),
        row("window update, 1,000 queues at once", update, "ms CPU", at_most=5.0),
        row("window update, one queue", 1000.0 * alone, "us CPU", at_most=100.0),
    ]


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(prog="python -m bench.forecasting", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, few origins, no libraries")
    for found in rows(parser.parse_args().quick):
        verdict = {True: "met", False: "MISSED", None: ""}[found["met"]]
        baseline = found["baseline_value"]
        beside = "" if baseline is None else f"{found['baseline']} {baseline:.4g}"
        print(
            f"{found['name']:58s} {found['value']:10.4g} {found['unit']:14s} {beside:40s} "
            f"{found['target']:14s} {verdict}",
            flush=True,
        )


if __name__ == "__main__":
    main()
