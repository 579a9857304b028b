"""What commands show while they work: a bar on a terminal, plain lines without one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from services.classifier.evaluation.online import Report

# Without a terminal: a line this often at most, so that a log stays readable.
SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress(console: Console) -> Iterator[Report]:
    """Show what is reported while the block runs; the console decides how."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def report(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        yield report


def _lines(console: Console) -> Report:
    shown = ""
    due = 0.0

    def report(step: str, done: int, total: int) -> None:
        nonlocal shown, due
        now = time.monotonic()
        if step != shown or now >= due:
            shown, due = step, now + SECONDS_BETWEEN_LINES
            console.print(f"{step} ({done} of {total})", highlight=False, soft_wrap=True)

    return report
