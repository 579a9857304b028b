"""What commands show while they work: a bar on a terminal, plain lines without one."""

import time
from collections.abc import Callable, Iterator
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

# Without a terminal: a line this often at most, so that a log stays readable.
SECONDS_BETWEEN_LINES = 5.0
# Called with what is going on and how many of the steps are done.
Advance = Callable[[str, int], None]


@contextmanager
def progress(console: Console, total: int) -> Iterator[Advance]:
    """Show progress over `total` steps; the console decides how."""
    if not console.is_terminal:
        yield _lines(console, total)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=total)

        def advance(step: str, done: int) -> None:
            bar.update(task, description=step, completed=done)

        yield advance


def _lines(console: Console, total: int) -> Advance:
    shown = ""
    due = 0.0

    def advance(step: str, done: int) -> None:
        nonlocal shown, due
        now = time.monotonic()
        if step != shown or now >= due:
            shown, due = step, now + SECONDS_BETWEEN_LINES
            console.print(f"{step} ({done}/{total})", highlight=False, soft_wrap=True)

    return advance
