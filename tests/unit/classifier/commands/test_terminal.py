"""Progress with a terminal and without one."""

import io

from rich.console import Console

from services.classifier.commands.terminal import progress


def test_without_a_terminal_each_new_step_is_one_plain_line() -> None:
    out = io.StringIO()
    with progress(Console(file=out, force_terminal=False)) as report:
        for done in range(100):
            report("fitting", done, 200)
        report("predicting", 100, 200)
    assert out.getvalue().splitlines() == ["fitting (0 of 200)", "predicting (100 of 200)"]


def test_on_a_terminal_a_bar_is_drawn_and_taken_away() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with progress(console) as report:
        report("fitting", 1, 2)
    assert "fitting" in out.getvalue()
    assert "1/2" in out.getvalue()
