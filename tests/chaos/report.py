"""The table at the end; the same as JSON, and of several runs as the table of a document."""

from collections.abc import Mapping
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
    for name, runs in _by_fault(outcomes).items():
        status = _worst(runs)
        made.add_row(name, *_cells(runs), f"[{COLOURS[status]}]{status}[/]")
    return made


def markdown(outcomes: list[Outcome], what: Mapping[str, str]) -> str:
    """The same as a table of a document; `what` each fault does, by its name."""
    columns = ("fault", "what it does", "runs", *SUMS, "recovery s")
    lines = [columns, ("---",) * len(columns)]
    for name, runs in _by_fault(outcomes).items():
        lines.append((name, what.get(name, ""), *_cells(runs)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _by_fault(outcomes: list[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.row, []).append(outcome)
    return found


def _cells(runs: list[Outcome]) -> list[str]:
    passed = sum(run.status == "passed" for run in runs)
    sums = [f"{sum(getattr(run, column) for run in runs):,}" for column in SUMS]
    recovery = max((run.recovery for run in runs if run.recovery is not None), default=None)
    return [f"{passed}/{len(runs)}", *sums, "-" if recovery is None else f"{recovery:.1f}"]


def explanations(outcomes: list[Outcome]) -> list[str]:
    """A line for each run that did not pass, with its evidence."""
    return [
        f"{run.row} (seed {run.seed}): {run.reason}"
        + (f"\n  evidence: {run.evidence}" if run.evidence else "")
        for run in outcomes
        if run.status != "passed"
    ]


def read(path: Path) -> list[Outcome]:
    """What `write` wrote."""
    return [Outcome(**each) for each in orjson.loads(path.read_bytes())]


def write(outcomes: list[Outcome], path: Path) -> None:
    """All outcomes as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [outcome.as_dict() for outcome in outcomes]
    path.write_bytes(orjson.dumps(listed, option=orjson.OPT_INDENT_2) + b"\n")


def _worst(runs: list[Outcome]) -> str:
    found = {run.status for run in runs}
    return next(status for status in ("failed", "skipped", "passed") if status in found)
