"""The table at the end, and the same as JSON."""

from pathlib import Path

import orjson
from rich.table import Table

from tests.chaos.row import Outcome

COLOURS = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
SUMS = ("events", "lost", "doubled", "gaps", "mismatched")


def table(outcomes: list[Outcome]) -> Table:
    """One line per fault, its runs summed up."""
    columns = ("fault", "runs", *SUMS, "recovery s", "")
    made = Table(*columns, title="Faults", title_justify="left")
    for name in dict.fromkeys(outcome.row for outcome in outcomes):
        runs = [outcome for outcome in outcomes if outcome.row == name]
        status = _worst(runs)
        sums = [f"{sum(getattr(run, column) for run in runs):,}" for column in SUMS]
        recovery = max((run.recovery for run in runs if run.recovery is not None), default=None)
        passed = sum(run.status == "passed" for run in runs)
        made.add_row(
            name,
            f"{passed}/{len(runs)}",
            *sums,
            "-" if recovery is None else f"{recovery:.1f}",
            f"[{COLOURS[status]}]{status}[/]",
        )
    return made


def explanations(outcomes: list[Outcome]) -> list[str]:
    """A line for each run that did not pass, with its evidence."""
    return [
        f"{run.row} (seed {run.seed}): {run.reason}"
        + (f"\n  evidence: {run.evidence}" if run.evidence else "")
        for run in outcomes
        if run.status != "passed"
    ]


def write(outcomes: list[Outcome], path: Path) -> None:
    """All outcomes as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [outcome.as_dict() for outcome in outcomes]
    path.write_bytes(orjson.dumps(listed, option=orjson.OPT_INDENT_2) + b"\n")


def _worst(runs: list[Outcome]) -> str:
    found = {run.status for run in runs}
    return next(status for status in ("failed", "skipped", "passed") if status in found)
