"""Break things at random on a real broker and Redis, and count what is left.

Environment: CHAOS_SEED=n repeats a run; CHAOS=quick takes the ten most telling rows (under six
minutes), CHAOS=full everything (the default); CHAOS_SOAK_MINUTES=n for the soak (20).
"""

import argparse
import os
import random
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local.preflight import require_java
from shared.errors import DeskstreamError
from tests.chaos import report
from tests.chaos.catalogue import ROWS
from tests.chaos.row import Outcome, Row
from tests.chaos.suite import Suite

DETAILS = 400
LOG_WIDTH = 120


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every row held. 1 with the evidence's folders otherwise."""
    arguments = _arguments(argv)
    console = Console(soft_wrap=True, highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    if arguments.list:
        for row in ROWS:
            console.print(f"{row.name:<28} {'quick  ' if row.quick else '       '}{row.what}")
        return 0
    if arguments.table:
        found = [outcome for path in arguments.table for outcome in report.read(path)]
        print(report.markdown(found, {row.name: row.what for row in ROWS}))  # noqa: T201 - no markup
        return 0
    rows = _chosen(arguments)
    if not rows:
        console.print(f"No row is called so; --list names all {len(ROWS)}.", style="red")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = arguments.seed
    console.print(f"seed {seed} (again with CHAOS_SEED={seed}), {len(rows)} faults")
    outcomes: list[Outcome] = []
    try:
        require_java(console.print)
        _run(rows, seed, arguments.repeat, outcomes, console)
    except KeyboardInterrupt:
        console.print("Interrupted; what was found until now:")
    except DeskstreamError as error:
        console.print(error.detail, style="red")
        return 1
    console.print(report.table(outcomes))
    for line in report.explanations(outcomes):
        console.print(line, markup=False)
    if arguments.json:
        report.write(outcomes, arguments.json)
    ran = len(outcomes) == len(rows) * arguments.repeat
    return 0 if ran and all(run.status != "failed" for run in outcomes) else 1


def _run(
    rows: list[Row], seed: int, repeat: int, outcomes: list[Outcome], console: Console
) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        tempfile.TemporaryDirectory(prefix="deskstream-chaos-") as folder,
        Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar,
        Suite(Path(folder)) as suite,
    ):
        task = bar.add_task("", total=len(rows) * repeat)
        for number in range(repeat):
            for row in rows:
                bar.update(task, description=f"{row.name}: {row.what}")
                outcomes.append(suite.run(row, seed + number))
                bar.advance(task)
                console.print(_line(outcomes[-1]), markup=False)


def _line(run: Outcome) -> str:
    recovery = "" if run.recovery is None else f", recovered in {run.recovery:.1f} s"
    notes = "".join(f", {name} {value:g}" for name, value in run.notes.items())
    text = f"{run.status:<8} {run.row:<26} {run.events:>7,} events in {run.seconds:>5.0f} s"
    reason = f" - {run.reason[:DETAILS]}" if run.reason else ""
    return text + recovery + notes + reason


def _chosen(arguments: argparse.Namespace) -> list[Row]:
    if arguments.rows:
        names = {row.name for row in ROWS}
        whole = names.intersection(arguments.rows)
        parts = set(arguments.rows) - whole
        return [row for row in ROWS if row.name in whole or any(part in row.name for part in parts)]
    return [row for row in ROWS if row.quick or arguments.which == "full"]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "rows", nargs="*", help="only these rows; a part of names takes every row that has it"
    )
    parser.add_argument(
        "--which",
        choices=("quick", "full"),
        default=os.environ.get("CHAOS", "full"),
        help="which rows, if none are named (default: $CHAOS, else full)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=int(os.environ.get("CHAOS_SEED") or random.randrange(100_000)),
        help="draws victims and moments (default: $CHAOS_SEED, else a random one)",
    )
    parser.add_argument("--repeat", type=int, default=1, help="how often, with seeds that follow")
    parser.add_argument("--json", type=Path, help="also write every outcome to this file")
    parser.add_argument(
        "--table",
        type=Path,
        nargs="+",
        metavar="JSON",
        help="run nothing: print the runs of these files as one table in Markdown",
    )
    parser.add_argument("--list", action="store_true", help="name the rows and what they do")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
