"""Judge forecasts on a file of series (columns unique_id, ds, y) by rolling origins."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.forecaster.commands.backtest_report import (
    document,
    print_table,
    write_forecasts,
    write_json,
)
from services.forecaster.commands.libraries import library_forecasters
from services.forecaster.commands.series_file import (
    SeriesFile,
    read_hierarchy,
    read_series,
    wall_clock,
)
from services.forecaster.domain.forecasting.baselines import seasonal_naive
from services.forecaster.domain.forecasting.calendar import Calendar, CalendarError
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.forecast import HorizonError, check_horizon, forecast
from services.forecaster.domain.forecasting.hierarchy import (
    Hierarchy,
    HierarchyError,
    forecast_tree,
    with_parents,
)
from services.forecaster.domain.forecasting.series import Frequency, History, SeriesError
from services.forecaster.domain.judging.backtest import Forecaster, Trial, origins_of, run

OURS = "deskstream"
_PLAIN_LINE_SECONDS = 15.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--data", type=Path, required=True, help="CSV or CSV.gz with unique_id, ds, y")
    add("--freq", choices=["H", "D"], required=True, help="hourly or daily counts")
    add("--horizon", type=int, required=True, help="steps ahead to forecast (at most 300 days)")
    add("--origins", type=int, required=True, help="how many origins to forecast from")
    add("--step", type=int, help="steps between origins (default: the horizon)")
    add("--country", help="holidays of this country, e.g. GB or US-NY (default: none)")
    add(
        "--timezone",
        default="UTC",
        help="zone of the daily rhythm. Stamps without an offset are read as UTC, unless the data "
        "before the first origin shows that they follow this zone's wall clock",
    )
    add("--hierarchy", type=Path, help="CSV with unique_id, parent_id: parents become sums")
    add(
        "--baselines",
        action="store_true",
        help="also judge the seasonal naive method, and "
        "AutoETS and AutoTheta where statsforecast is installed",
    )
    add("--forecasts", type=Path, metavar="OUT.csv", help="write every forecast here")
    add("--json", type=Path, metavar="OUT.json", help="write the numbers here")


def execute(args: argparse.Namespace) -> int:
    """Run the backtest; 2 and one clear sentence for input that cannot be judged."""
    try:
        return _execute(args)
    except (SeriesError, CalendarError, HierarchyError, HorizonError) as error:
        print(f"backtest: {error}", file=sys.stderr)
        return 2


def _execute(args: argparse.Namespace) -> int:
    frequency = Frequency(args.freq)
    step = args.horizon if args.step is None else args.step
    check_horizon(args.horizon, frequency)
    if args.origins < 1 or step < 1:
        raise SeriesError("--origins and --step must be at least 1")
    calendar = Calendar(args.timezone, args.country)
    file = read_series(args.data, frequency)
    tree = read_hierarchy(args.hierarchy) if args.hierarchy else Hierarchy({})
    series = with_parents(file.series, tree)
    calendar = _clock(file, frequency, calendar, args.horizon + step * (args.origins - 1))
    usable, skipped = _usable(series, args.horizon, args.origins, step)
    if not usable:
        raise SeriesError(f"{args.data}: every series is shorter than two weeks and the horizon")
    trials: dict[str, list[Trial]] = {}
    for name, forecaster in _forecasters(frequency, calendar, tree, args.baselines).items():
        judged = run(usable, forecaster, horizon=args.horizon, origins=args.origins, step=step)
        total = sum(
            len(origins_of(part, args.horizon, args.origins, step)) for part in usable.values()
        )
        trials[name] = list(_shown(judged, total, name))
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    console = Console(width=None if sys.stdout.isatty() else 160)
    print_table(trials, console)
    settings = {
        "data": args.data.name,
        "freq": args.freq,
        "horizon": args.horizon,
        "origins": args.origins,
        "step": step,
        "country": args.country,
        "timezone": calendar.timezone,
    }
    if args.json:
        write_json(args.json, document(settings, trials, skipped))
    if args.forecasts:
        write_forecasts(args.forecasts, trials[OURS])
    return 0


def _clock(file: SeriesFile, frequency: Frequency, calendar: Calendar, held_out: int) -> Calendar:
    """The calendar to index hours with: naive stamps may already be local time."""
    if frequency is Frequency.DAILY or not file.naive or calendar.timezone == "UTC":
        return calendar
    first_origin = max(history.end for history in file.series.values()) - held_out
    if not wall_clock(file.series, calendar, first_origin):
        return calendar
    print(
        f"stamps follow the wall clock of {calendar.timezone}, not UTC: read as local time",
        file=sys.stderr,
    )
    return replace(calendar, timezone="UTC")


def _usable(
    series: Mapping[str, History], horizon: int, origins: int, step: int
) -> tuple[dict[str, History], dict[str, str]]:
    usable, skipped = {}, {}
    for name, history in series.items():
        if origins_of(history, horizon, origins, step):
            usable[name] = history
        else:
            skipped[name] = f"{len(history.values)} steps are less than two weeks and the horizon"
    return usable, skipped


def _forecasters(
    frequency: Frequency, calendar: Calendar, tree: Hierarchy, baselines: bool
) -> dict[str, Forecaster]:
    """What is judged, the serving code first."""

    def ours(pasts: Mapping[str, History], horizon: int) -> dict[str, ForecastDistribution]:
        return forecast_tree(pasts, tree, lambda past: forecast(past, horizon, calendar))

    def naive(pasts: Mapping[str, History], horizon: int) -> dict[str, ForecastDistribution]:
        return {name: seasonal_naive(past, horizon) for name, past in pasts.items()}

    if not baselines:
        return {OURS: ours}
    return {OURS: ours, "seasonal-naive": naive, **library_forecasters(frequency)}


def _shown(trials: Iterable[Trial], total: int, name: str) -> Iterator[Trial]:
    """Pass trials on under a progress bar, or a plain line now and then without a terminal."""
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            yield from progress.track(trials, total=total, description=name)
        return
    reported = time.monotonic()
    for done, trial in enumerate(trials, start=1):
        yield trial
        if time.monotonic() - reported > _PLAIN_LINE_SECONDS or done == total:
            reported = time.monotonic()
            print(f"{name}: {done} of {total} forecasts", file=sys.stderr, flush=True)
